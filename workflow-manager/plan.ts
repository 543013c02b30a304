import type { BatchId } from '../common/domain/batch-path.ts';
import { DAY_MS, windowHolding, type Interval } from '../common/domain/interval.ts';
import { intakeMarker } from '../common/domain/marker.ts';
import type { AggregateTask, IntakeTask } from '../common/domain/task.ts';
import { aggregateTraceId } from '../common/domain/trace-id.ts';
import { compareBatches, isCompleteIngestion, isCompleteValidation, type ListedBatch } from './listing.ts';

/*
 * What is to be published, from what is there. Nothing here reads or writes anything: listings stream through, in the
 * order of their names, and tasks come out in the order of their batches.
 */

/** Batches dated up to a day ahead of us are taken in too, as by the reference. */
const AHEAD_MS = DAY_MS;

export function intakeInterval(now: Date, maxAgeMs: number): Interval {
  return { begin: new Date(now.getTime() - maxAgeMs), end: new Date(now.getTime() + AHEAD_MS) };
}

/** The one window that a run schedules: the last that ended at least the grace period ago, or the one told. */
export function aggregationWindow(
  now: Date,
  {
    periodMs,
    graceMs,
    override,
  }: { readonly periodMs: number; readonly graceMs: number; readonly override?: Date | undefined },
): Interval {
  return windowHolding(override ?? new Date(now.getTime() - graceMs - periodMs), periodMs);
}

/** What a listing came to. */
export interface Found {
  ready: number;
  incomplete: number;
}

export const nothingFound = (): Found => ({ ready: 0, incomplete: 0 });

export interface IntakePlan {
  readonly found: Found;
  skippedByMarker: number;
}

export const emptyIntakePlan = (): IntakePlan => ({ found: nothingFound(), skippedByMarker: 0 });

/** An intake task for each batch that is ready and has no marker. Counts in `plan` on the way. */
export async function* intakeTasks(
  aggregationId: string,
  ingestion: AsyncIterable<ListedBatch>,
  markers: ReadonlySet<string>,
  plan: IntakePlan,
): AsyncGenerator<IntakeTask> {
  for await (const batch of readyOnly(ingestion, isCompleteIngestion, plan.found)) {
    if (markers.has(intakeMarker(aggregationId, batch))) plan.skippedByMarker++;
    else yield { traceId: batch.id, aggregationId, batch };
  }
}

export interface WindowListings {
  readonly ingestion: AsyncIterable<ListedBatch>;
  readonly peerValidation: AsyncIterable<ListedBatch>;
  /** `undefined` where our own validation is not required. */
  readonly ownValidation: AsyncIterable<ListedBatch> | undefined;
}

export interface WindowPlan {
  /** `undefined` if no batch can be summed. */
  readonly task: AggregateTask | undefined;
  readonly ingestion: Found;
  readonly peerValidation: Found;
  readonly ownValidation: Found;
  /** Ready but for our own validation. */
  readonly withoutOwnValidation: readonly BatchId[];
}

/** The batches of a window that are complete here, validated by the peer and, where required, by us. */
export async function windowPlan(
  aggregationId: string,
  window: Interval,
  listings: WindowListings,
): Promise<WindowPlan> {
  const [ingestion, peerValidation, ownValidation] = [nothingFound(), nothingFound(), nothingFound()];
  const batches: BatchId[] = [];
  const withoutOwnValidation: BatchId[] = [];
  const peers = readyOnly(listings.peerValidation, isCompleteValidation, peerValidation);
  const ours = readyOnly(listings.ingestion, isCompleteIngestion, ingestion);
  const told = listings.ownValidation && readyOnly(listings.ownValidation, isCompleteValidation, ownValidation);
  for await (const { batch, inSecond } of joined(both(peers, ours), told)) {
    if (told && !inSecond) withoutOwnValidation.push(batch);
    else batches.push(batch);
  }
  const traceId = aggregateTraceId(aggregationId, window);
  const task = batches.length === 0 ? undefined : { traceId, aggregationId, window, batches };
  return { task, ingestion, peerValidation, ownValidation, withoutOwnValidation };
}

async function* readyOnly(
  batches: AsyncIterable<ListedBatch>,
  isReady: (batch: ListedBatch) => boolean,
  found: Found,
): AsyncGenerator<BatchId> {
  for await (const listed of batches) {
    if (!isReady(listed)) {
      found.incomplete++;
      continue;
    }
    found.ready++;
    yield listed.batch;
  }
}

async function* both(first: AsyncIterable<BatchId>, second: AsyncIterable<BatchId>): AsyncGenerator<BatchId> {
  for await (const { batch, inSecond } of joined(first, second)) if (inSecond) yield batch;
}

/** Says of each batch of the first list whether the second has it too. Both come in order, and are read to their ends. */
async function* joined(
  first: AsyncIterable<BatchId>,
  second: AsyncIterable<BatchId> | undefined,
): AsyncGenerator<{ batch: BatchId; inSecond: boolean }> {
  const others = second?.[Symbol.asyncIterator]();
  try {
    let other = await others?.next();
    for await (const batch of first) {
      while (other && !other.done && compareBatches(other.value, batch) < 0) other = await others?.next();
      yield { batch, inSecond: other !== undefined && !other.done && compareBatches(other.value, batch) === 0 };
    }
    // To the end, so that all of it is counted.
    while (other && !other.done) other = await others?.next();
  } finally {
    // Where the first list fails, nobody else ends the second.
    await others?.return?.();
  }
}
