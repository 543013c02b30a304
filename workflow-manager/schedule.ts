import { formatBatchTime } from '../common/domain/batch-time.ts';
import { errorFields } from '../common/errors.ts';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Logger } from 'pino';
import {
  AggregationContext,
  type PublisherPorts,
  type PublisherSettings,
  type StageFailure,
} from './aggregation-context.ts';
import { publishAggregation, type AggregationSummary } from './aggregation.ts';
import { PublishingIncomplete } from './errors.ts';
import { AggregationLease, type LeaseSettings } from './lease.ts';
import { aggregationIds } from './listing.ts';
import type { TaskOutcome } from './publish.ts';

export interface Run {
  readonly runId: string;
  readonly leaseDurationMs: number;
  /** Real time, for leases and metrics. */
  readonly clock: LeaseSettings['clock'];
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
  /** Told what became of each task. */
  readonly onTask?: ((task: TaskOutcome) => void) | undefined;
}

/** What became of the aggregations of a run, by id. */
export interface Scheduled {
  readonly published: ReadonlyMap<string, AggregationSummary>;
  /** Another run is at them. */
  readonly held: readonly string[];
  /** Those that did not go through as a whole, also if parts of them did. */
  readonly failed: ReadonlyMap<string, readonly StageFailure[]>;
}

/**
 * Publishes what there is to publish for all aggregations. One that fails does not stop the others.
 * @throws the signal's reason; what the listing of aggregations failed by
 */
export async function scheduleAll(ports: PublisherPorts, settings: PublisherSettings, run: Run): Promise<Scheduled> {
  const onStray = (key: string): void =>
    run.log.warn({ storage: ports.ingestion.url, key }, 'object outside of any aggregation is passed over');
  const atOnce = pLimit(settings.aggregationsAtOnce);
  const publishing = pLimit(settings.maxEnqueueWorkers);
  const outcomes: Promise<Outcome>[] = [];
  try {
    for await (const id of aggregationIds(ports.ingestion, onStray, run.signal)) {
      const log = run.log.child({ aggregation_id: id });
      outcomes.push(atOnce(() => outcomeOf(id, ports, settings, { ...run, log, publishing })));
    }
  } finally {
    // Also where it fails: nothing goes on behind the back of whoever called.
    await Promise.all(outcomes);
  }
  run.signal?.throwIfAborted();
  return scheduledOf(await Promise.all(outcomes));
}

/** What became of one aggregation. */
interface Outcome {
  readonly id: string;
  /** `undefined` if it was left to another run, or failed as a whole. */
  readonly summary: AggregationSummary | undefined;
  readonly isHeld: boolean;
  readonly failures: readonly StageFailure[];
}

function scheduledOf(outcomes: readonly Outcome[]): Scheduled {
  return {
    published: new Map(outcomes.flatMap(({ id, summary }) => (summary ? [[id, summary] as const] : []))),
    held: outcomes.filter(({ isHeld }) => isHeld).map(({ id }) => id),
    failed: new Map(outcomes.flatMap(({ id, failures }) => (failures.length > 0 ? [[id, failures] as const] : []))),
  };
}

interface AggregationRun extends Run {
  /** Shared by all aggregations. */
  readonly publishing: LimitFunction;
}

/** Never throws; after the signal it is not looked at. */
async function outcomeOf(
  id: string,
  ports: PublisherPorts,
  settings: PublisherSettings,
  run: AggregationRun,
): Promise<Outcome> {
  const failed = { id, summary: undefined, isHeld: false };
  if (run.signal?.aborted) return { ...failed, failures: [] };
  try {
    const summary = await schedule(id, ports, settings, run);
    const failures = summary ? failuresOf(summary) : [];
    logFailures(run.log, failures);
    return { id, summary, isHeld: !summary, failures };
  } catch (err) {
    const failures = run.signal?.aborted ? [] : [{ stage: 'aggregation', error: err } as const];
    logFailures(run.log, failures);
    return { ...failed, failures };
  }
}

function logFailures(log: Logger, failures: readonly StageFailure[]): void {
  for (const { stage, error } of failures) log.error({ stage, ...errorFields(error) }, 'aggregation failed');
}

/** @returns `undefined` if another run holds the aggregation's lease */
async function schedule(
  id: string,
  ports: PublisherPorts,
  settings: PublisherSettings,
  { runId, leaseDurationMs: durationMs, clock, log, signal, onTask, publishing }: AggregationRun,
): Promise<AggregationSummary | undefined> {
  const lease = await AggregationLease.acquire(ports.ownValidation, id, { runId, durationMs, clock, log });
  if (!lease) {
    log.info('another run is publishing this aggregation, which is left to it');
    return undefined;
  }
  try {
    const summary = await publishAggregation(
      new AggregationContext(id, ports, settings, { lease, log, signal, onTask, publishing }),
    );
    log.info(fieldsOf(summary), 'aggregation published');
    return summary;
  } finally {
    await lease.release();
  }
}

/** Why an aggregation did not go through as a whole, with the tasks that could not be published in one. */
function failuresOf({ failures, republished, intake, aggregate }: AggregationSummary): readonly StageFailure[] {
  const stages = { claims: republished.failed, intake: intake.failed, aggregate: aggregate.failed } as const;
  const unpublished = (['claims', 'intake', 'aggregate'] as const)
    .filter((stage) => stages[stage] > 0)
    .map((stage) => ({ stage, error: new PublishingIncomplete(`${stages[stage]} tasks could not be published`) }));
  return [...failures, ...unpublished];
}

/** The summary of an aggregation as fields of the log and of JSON. */
export function fieldsOf(summary: AggregationSummary): Readonly<Record<string, string | number>> {
  const { span, intake, republished, aggregate, ingestion, peerValidations } = summary;
  return {
    window_begin: formatBatchTime(span.begin),
    window_end: formatBatchTime(span.end),
    ingestions_found: intake.found.ready,
    ingestions_incomplete: intake.found.incomplete,
    intake_tasks_scheduled: intake.published,
    intake_tasks_skipped_due_to_marker: intake.skippedByMarker,
    intake_batches_missed: intake.missed.length,
    claims_republished: republished.published,
    aggregate_ingestions_found: ingestion.ready,
    aggregate_ingestions_incomplete: ingestion.incomplete,
    peer_validations_found: peerValidations.ready,
    peer_validations_incomplete: peerValidations.incomplete,
    peer_validations_missing: summary.withoutPeerValidation,
    batches_without_own_validation: summary.withoutOwnValidation,
    batches_late: summary.late,
    aggregation_tasks_scheduled: aggregate.published,
    aggregation_tasks_skipped_due_to_marker: aggregate.skippedByMarker,
    batches_in_aggregation: aggregate.batchesInTask,
    windows_caught_up: aggregate.caughtUp,
    stray_names: summary.strays,
  };
}
