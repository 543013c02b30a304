import type { Logger } from 'pino';
import { formatBatchTime } from '../common/domain/batch-time.ts';
import { errorFields } from '../common/errors.ts';
import {
  AggregationPublisher,
  type AggregationSummary,
  type PublisherPorts,
  type PublisherSettings,
} from './aggregation.ts';
import { AggregationsFailed, PublishingIncomplete } from './errors.ts';
import { AggregationLease, type LeaseSettings } from './lease.ts';
import { aggregationIds } from './listing.ts';

export interface Run {
  readonly runId: string;
  readonly leaseDurationMs: number;
  /** Real time, for leases. */
  readonly clock: LeaseSettings['clock'];
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

/** What became of the aggregations of a run, by id. */
export interface RunSummary {
  readonly published: ReadonlyMap<string, AggregationSummary>;
  /** Another run is at them. */
  readonly held: readonly string[];
}

/**
 * One run of the publisher, over all aggregations. One that fails does not stop the others.
 * @throws AggregationsFailed at the end, if any failed
 */
export async function runPublisher(ports: PublisherPorts, settings: PublisherSettings, run: Run): Promise<RunSummary> {
  const published = new Map<string, AggregationSummary>();
  const held: string[] = [];
  const failed: string[] = [];
  const onStray = (key: string): void =>
    run.log.warn({ storage: ports.ingestion.url, key }, 'object outside of any aggregation is passed over');
  for await (const id of aggregationIds(ports.ingestion, onStray, run.signal)) {
    run.signal?.throwIfAborted();
    const log = run.log.child({ aggregation_id: id });
    try {
      const summary = await publishAggregation(id, ports, settings, { ...run, log });
      if (summary) published.set(id, summary);
      else held.push(id);
      if (summary && !isComplete(summary, log)) failed.push(id);
    } catch (err) {
      run.signal?.throwIfAborted();
      logFailure(log, err);
      failed.push(id);
    }
  }
  if (failed.length > 0) {
    throw new AggregationsFailed(`aggregations failed: ${failed.join(', ')}; the others are done`);
  }
  return { published, held };
}

/** @returns `undefined` if another run holds the aggregation's lease */
async function publishAggregation(
  id: string,
  ports: PublisherPorts,
  settings: PublisherSettings,
  { runId, leaseDurationMs, clock, log, signal }: Run,
): Promise<AggregationSummary | undefined> {
  const lease = await AggregationLease.acquire(ports.ownValidation, id, {
    runId,
    durationMs: leaseDurationMs,
    clock,
    log,
  });
  if (!lease) {
    log.info('another run is publishing this aggregation, which is left to it');
    return undefined;
  }
  try {
    const summary = await new AggregationPublisher(id, ports, settings, { lease, log, signal }).publish();
    log.info(fieldsOf(summary), 'aggregation published');
    return summary;
  } finally {
    await lease.release();
  }
}

/** Logs what failed of an aggregation that otherwise went through; says whether nothing did. */
function isComplete({ failures, republished, intake, aggregate }: AggregationSummary, log: Logger): boolean {
  for (const failure of failures) logFailure(log, failure);
  const tasks = republished.failed + intake.failed + aggregate.failed;
  if (tasks > 0) logFailure(log, new PublishingIncomplete(`${tasks} tasks could not be published`));
  return failures.length === 0 && tasks === 0;
}

function logFailure(log: Logger, err: unknown): void {
  log.error(errorFields(err), 'aggregation failed');
}

function fieldsOf(summary: AggregationSummary): Record<string, unknown> {
  const { window, intake, republished, aggregate, peerValidations, withoutOwnValidation, strays } = summary;
  return {
    window_begin: formatBatchTime(window.begin),
    window_end: formatBatchTime(window.end),
    ingestions_found: intake.found.ready,
    ingestions_incomplete: intake.found.incomplete,
    intake_tasks_scheduled: intake.published,
    intake_tasks_skipped_due_to_marker: intake.skippedByMarker,
    claims_republished: republished.published,
    peer_validations_found: peerValidations.ready,
    batches_without_own_validation: withoutOwnValidation,
    aggregation_tasks_scheduled: aggregate.published,
    aggregation_tasks_skipped_due_to_marker: aggregate.skippedByMarker,
    batches_in_aggregation: aggregate.batchesInTask,
    stray_names: strays,
  };
}
