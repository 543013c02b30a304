import type { BatchId } from '../common/domain/batch-path.ts';
import { formatBatchTime } from '../common/domain/batch-time.ts';
import type { Interval } from '../common/domain/interval.ts';
import { aggregateClaim, aggregateMarker } from '../common/domain/marker.ts';
import type { AggregateTask } from '../common/domain/task.ts';
import { aggregateTraceId } from '../common/domain/trace-id.ts';
import type { AggregationContext } from './aggregation-context.ts';
import { claimedTask, claimWindow, type DecidedWindows } from './claims.ts';
import { OwnValidationsMissing } from './errors.ts';
import { begun } from './begun.ts';
import { logBatches } from './log-batches.ts';
import { nothingFound, windowPlans, type Found, type WindowListings, type WindowPlan } from './plan.ts';
import type { MarkedMessage, Published } from './publish.ts';

/** What a run found and did for the windows of one aggregation, added up. */
export interface WindowsSummary {
  readonly aggregate: Published & {
    /** Windows that an earlier run, or another publisher, has decided. */
    skippedByMarker: number;
    batchesInTask: number;
    /** Windows that earlier runs should have scheduled. */
    caughtUp: number;
  };
  readonly ingestion: Found;
  readonly peerValidations: Found;
  /** Batches that were left out because our own validation of them is missing. */
  withoutOwnValidation: number;
  /** Batches that are complete here and not validated by the peer. */
  withoutPeerValidation: number;
  /** Batches that became ready after their window was claimed. */
  late: number;
  /** The time of the first batch that is complete here and in no task. */
  oldestUnaggregated: Date | undefined;
}

export const nothingInWindows = (): WindowsSummary => ({
  aggregate: { published: 0, failed: 0, skippedByMarker: 0, batchesInTask: 0, caughtUp: 0 },
  ingestion: nothingFound(),
  peerValidations: nothingFound(),
  withoutOwnValidation: 0,
  withoutPeerValidation: 0,
  late: 0,
  oldestUnaggregated: undefined,
});

/** The listings of the windows' validations, which begin at once, so that the storage works while we do. */
export function listValidations(context: AggregationContext, span: Interval): Omit<WindowListings, 'ingestion'> {
  const { ports, settings } = context;
  const [own, peer] =
    settings.server === 0 ? (['validity_0', 'validity_1'] as const) : (['validity_1', 'validity_0'] as const);
  return {
    peerValidation: begun(context.batches(ports.peerValidation, peer, span)),
    ownValidation: settings.requireOwnValidation ? begun(context.batches(ports.ownValidation, own, span)) : undefined,
  };
}

/** From the first of adjoining windows to the last. */
export function spanOf(windows: readonly [Interval, ...Interval[]]): Interval {
  // They are never empty.
  return { begin: windows[0].begin, end: windows.at(-1)!.end };
}

/**
 * Claims and publishes each window that has batches and is not decided.
 * @param summary counted in on the way, so that it holds also what was done before a failure
 */
export async function publishWindows(
  context: AggregationContext,
  windows: readonly [Interval, ...Interval[]],
  { listings, decided }: { readonly listings: WindowListings; readonly decided: DecidedWindows },
  summary: WindowsSummary,
): Promise<void> {
  const latestEnd = spanOf(windows).end;
  for await (const plan of windowPlans(windows, listings)) {
    add(summary, plan);
    // One that fails does not keep the others from their turn.
    await context.attempt('aggregate', () =>
      publishWindow(context, plan, { decided, isCatchingUp: plan.window.end < latestEnd }, summary),
    );
  }
}

function add(summary: WindowsSummary, plan: WindowPlan): void {
  for (const [total, found] of [
    [summary.ingestion, plan.ingestion],
    [summary.peerValidations, plan.peerValidation],
  ] as const) {
    total.ready += found.ready;
    total.incomplete += found.incomplete;
  }
  summary.withoutOwnValidation += plan.withoutOwnValidation.length;
  summary.withoutPeerValidation += plan.withoutPeerValidation.length;
}

async function publishWindow(
  context: AggregationContext,
  plan: WindowPlan,
  { decided, isCatchingUp }: { readonly decided: DecidedWindows; readonly isCatchingUp: boolean },
  summary: WindowsSummary,
): Promise<void> {
  const { id, ports, lease, log, signal } = context;
  const { window, batches } = plan;
  const fields = { window_begin: formatBatchTime(window.begin), window_end: formatBatchTime(window.end) };
  const isClaimed = decided.claims.has(aggregateClaim(id, window));
  const isMarked = decided.markers.has(aggregateMarker(id, window));
  if (isClaimed || isMarked) {
    summary.aggregate.skippedByMarker++;
    // Without a claim, the reference's publisher was at it, and its list is not known. Without a marker, the claim has
    // been looked at in this run.
    if (!isClaimed || !isMarked) return;
    const task = await claimedTask(ports.ownValidation, id, window, signal);
    const claimed = new Set(task.batches.map(keyOf));
    const late = batches.filter((batch) => !claimed.has(keyOf(batch)));
    // Whatever has come since: a window's batch list never changes.
    logBatches(log, late, 'batches came too late for their window and are in no sum', fields);
    summary.late += late.length;
    noteOldest(summary, [late, plan.withoutOwnValidation, plan.withoutPeerValidation], claimed);
    return;
  }
  noteOldest(summary, [plan.withoutOwnValidation, plan.withoutPeerValidation]);
  logBatches(
    log,
    plan.withoutOwnValidation,
    'batches are left out of their window: the peer has validated them, we have not',
    fields,
  );
  if (batches.length === 0) {
    if (plan.withoutOwnValidation.length > 0) throw ownValidationsMissing(context, plan);
    return;
  }
  if (isCatchingUp) {
    const warning =
      'a window that earlier runs missed is caught up: its batches may differ from those of a peer that ran on time';
    log.warn({ ...fields, batches: batches.length }, warning);
    summary.aggregate.caughtUp++;
  }
  const task: AggregateTask = { traceId: aggregateTraceId(id, window), aggregationId: id, window, batches };
  await lease.assertHeld();
  const message = await claimWindow(ports.ownValidation, task, signal);
  const { published, failed } = await context.publish(ports.aggregateTasks, only(message));
  Object.assign(summary.aggregate, {
    published: summary.aggregate.published + published,
    failed: summary.aggregate.failed + failed,
    batchesInTask: summary.aggregate.batchesInTask + batches.length,
  });
}

/** The identity of a batch within its aggregation. */
const keyOf = ({ id, time }: BatchId): string => `${time.getTime()} ${id}`;

/** All lists by time. */
function noteOldest(
  summary: WindowsSummary,
  lists: readonly (readonly BatchId[])[],
  claimed?: ReadonlySet<string>,
): void {
  for (const list of lists) {
    const time = list.find((batch) => !claimed?.has(keyOf(batch)))?.time;
    if (time && (!summary.oldestUnaggregated || time < summary.oldestUnaggregated)) summary.oldestUnaggregated = time;
  }
}

function ownValidationsMissing({ id, ports }: AggregationContext, { window, withoutOwnValidation }: WindowPlan): Error {
  const when = `${formatBatchTime(window.begin)} to ${formatBatchTime(window.end)}`;
  return new OwnValidationsMissing(
    `none of the ${withoutOwnValidation.length} batches of ${id} from ${when} has our own validation in ${ports.ownValidation.url}, so the window is not claimed; does the facilitator's intake write there (--own-output)? For windows that were taken in without it, use --require-own-validation=false`,
  );
}

async function* only(message: MarkedMessage): AsyncGenerator<MarkedMessage> {
  yield message;
}
