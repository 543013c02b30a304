import type { Logger } from 'pino';
import { errorFields, PermissionDenied } from '../common/errors.ts';
import { ReapingFailed } from './errors.ts';
import type { Job, Jobs } from './jobs.ts';
import { isLeftBehind, type LeftBehindSettings } from './left-behind.ts';

/** What became of the Jobs of a namespace, all left behind that are there no more. */
export interface ReapSummary {
  readonly listed: number;
  readonly deleted: number;
  /** Left behind, but gone before we came to delete them. */
  readonly gone: number;
}

/** Fewer failures in a row may be of Jobs that are at fault themselves; then the cluster is. */
const HOPELESS_FAILURES = 10;

/**
 * Deletes the Jobs that older versions left behind, one after another: it is no hurry, and the API server has other
 * clients. One that cannot be deleted is logged and does not keep the others, unless nothing may be deleted at all or
 * many fail in a row.
 * @throws ReapingFailed at the end, if any Job is left; ConfigurationInvalid, PermissionDenied or ClusterUnavailable if
 *   there is no point in going on; the signal's reason
 */
export async function reapJobs(
  jobs: Jobs,
  settings: LeftBehindSettings,
  { log, signal }: { readonly log: Logger; readonly signal?: AbortSignal | undefined },
): Promise<ReapSummary> {
  const counts = { listed: 0, deleted: 0, gone: 0, failed: 0 };
  let failedSinceSuccess = 0;
  try {
    for await (const job of jobs.list(signal)) {
      counts.listed++;
      if (!isLeftBehind(job, settings)) continue;
      const outcome = await deleteOne(job, jobs, log, signal);
      counts[outcome]++;
      failedSinceSuccess = outcome === 'failed' ? failedSinceSuccess + 1 : 0;
      if (failedSinceSuccess < HOPELESS_FAILURES) continue;
      log.error({ failed: failedSinceSuccess }, 'reaping is given up: the last jobs failed one and all');
      break;
    }
  } finally {
    log.info(
      {
        namespace_url: jobs.url,
        jobs_listed: counts.listed,
        jobs_deleted: counts.deleted,
        jobs_gone: counts.gone,
        jobs_failed: counts.failed,
      },
      'reaping has ended',
    );
  }
  const { failed, ...summary } = counts;
  if (failed > 0) throw new ReapingFailed(`${failed} jobs left behind in ${jobs.url} could not be deleted`);
  return summary;
}

async function deleteOne(
  job: Job,
  jobs: Jobs,
  log: Logger,
  signal: AbortSignal | undefined,
): Promise<'deleted' | 'gone' | 'failed'> {
  const fields = {
    job: `${job.namespace}/${job.name}`,
    job_uid: job.uid,
    job_created: job.createdAt,
    job_finished: job.finishedAt,
  };
  try {
    const outcome = await jobs.delete(job, signal);
    log.info(fields, outcome === 'deleted' ? 'job deleted' : 'job is gone already');
    return outcome;
  } catch (err) {
    signal?.throwIfAborted();
    // Of the others, none may be deleted either.
    if (err instanceof PermissionDenied) throw err;
    log.error({ ...fields, ...errorFields(err) }, 'job could not be deleted');
    return 'failed';
  }
}
