import { errorFields } from '../common/errors.ts';
import type { PublisherPorts, PublisherSettings } from './aggregation-context.ts';
import { AggregationsFailed, ReapingFailed } from './errors.ts';
import { gaugesOf } from './gauges.ts';
import type { Jobs } from './jobs.ts';
import type { LeftBehindSettings } from './left-behind.ts';
import type { MetricsGateway } from './metrics-gateway.ts';
import { reapJobs } from './reaper.ts';
import { summaryOf, type RunFailure, type RunOutcome } from './run-outcome.ts';
import { scheduleAll, type Run, type Scheduled } from './schedule.ts';

export interface RunPorts extends PublisherPorts {
  /** Where Jobs of older versions may be; without it none are looked for. */
  readonly jobs?: Jobs | undefined;
  /** Without it, metrics go nowhere. */
  readonly metrics?: MetricsGateway | undefined;
}

export interface RunSettings extends PublisherSettings {
  /** Create topics that are not there yet. */
  readonly createTopics: boolean;
  readonly reaping: Omit<LeftBehindSettings, 'now'>;
  /** Requests to object stores so far, by operation. */
  readonly requests: () => ReadonlyMap<string, number>;
}

/**
 * One run of the publisher: publishes what there is to publish, deletes Jobs left behind, pushes metrics and logs what
 * it came to. None of these keeps the next from its turn.
 * @param onOutcome told what the run came to, whether it failed or not
 * @throws AggregationsFailed or ReapingFailed at the end, if any failed; at once the signal's reason
 */
export async function runPublisher(
  ports: RunPorts,
  settings: RunSettings,
  run: Run,
  onOutcome: (outcome: RunOutcome) => void = () => {},
): Promise<RunOutcome> {
  const startedAt = run.clock();
  const failures: RunFailure[] = [];
  const scheduled = await schedule(ports, settings, run, failures);
  const reaped = ports.jobs && (await reap(ports.jobs, settings, run, failures));
  const { now, requests } = settings;
  const outcome = { ...scheduled, failures, reaped, requests: requests(), now, startedAt, endedAt: run.clock() };
  await push(ports.metrics, outcome, run);
  run.log.info(summaryOf(outcome), 'run finished');
  onOutcome(outcome);
  failIfFailed(failures);
  return outcome;
}

async function schedule(
  ports: RunPorts,
  settings: RunSettings,
  run: Run,
  failures: RunFailure[],
): Promise<Pick<Scheduled, 'published' | 'held'>> {
  try {
    if (settings.createTopics) {
      await ports.intakeTasks.create(run.signal);
      await ports.aggregateTasks.create(run.signal);
    }
    const { failed, ...scheduled } = await scheduleAll(ports, settings, run);
    for (const [aggregationId, all] of failed) failures.push(...all.map((failure) => ({ ...failure, aggregationId })));
    return scheduled;
  } catch (err) {
    run.signal?.throwIfAborted();
    run.log.error(errorFields(err), 'aggregations could not be published');
    failures.push({ aggregationId: undefined, stage: 'aggregation', error: err });
    return { published: new Map(), held: [] };
  }
}

async function reap(jobs: Jobs, settings: RunSettings, run: Run, failures: RunFailure[]): Promise<number> {
  let deleted = 0;
  const counted: Jobs = {
    url: jobs.url,
    list: (signal) => jobs.list(signal),
    delete: async (job, signal) => {
      const outcome = await jobs.delete(job, signal);
      if (outcome === 'deleted') deleted++;
      return outcome;
    },
  };
  try {
    await reapJobs(counted, { ...settings.reaping, now: run.clock() }, run);
  } catch (err) {
    run.signal?.throwIfAborted();
    run.log.error(errorFields(err), 'reaping failed; what was published stays published');
    failures.push({ aggregationId: undefined, stage: 'reap', error: err });
  }
  return deleted;
}

/**
 * Pushes that a run could not even begin. Never throws.
 * @param failure `now` is the time that it would have planned for
 */
export async function pushFailure(
  metrics: MetricsGateway | undefined,
  {
    error,
    now,
    requests,
  }: { readonly error: unknown; readonly now: Date; readonly requests: ReadonlyMap<string, number> },
  run: Pick<Run, 'clock' | 'log' | 'signal'>,
): Promise<void> {
  const at = run.clock();
  const failures = [{ aggregationId: undefined, stage: 'prepare', error }] as const;
  const nothing = { published: new Map(), held: [], reaped: undefined };
  await push(metrics, { ...nothing, failures, requests, now, startedAt: at, endedAt: at }, run);
}

/** That nobody hears of a run does not make it fail. */
async function push(
  metrics: MetricsGateway | undefined,
  outcome: RunOutcome,
  run: Pick<Run, 'log' | 'signal'>,
): Promise<void> {
  try {
    await metrics?.push(gaugesOf(outcome), outcome.failures.length === 0 ? 'replace' : 'merge', run.signal);
  } catch (err) {
    run.signal?.throwIfAborted();
    run.log.error(errorFields(err), 'metrics could not be pushed');
  }
}

function failIfFailed(failures: readonly RunFailure[]): void {
  const aggregations = [...new Set(failures.flatMap(({ aggregationId }) => aggregationId ?? []))];
  if (aggregations.length > 0) {
    throw new AggregationsFailed(`aggregations failed: ${aggregations.join(', ')}; the others are done`);
  }
  const [failure] = failures;
  if (!failure) return;
  if (failure.stage !== 'reap') throw failure.error;
  throw new ReapingFailed('tasks are published, but reaping failed', { cause: failure.error });
}
