import type { BatchId } from '../common/domain/batch-path.ts';
import { DAY_MS, includes, windowHolding, type Interval } from '../common/domain/interval.ts';
import type { IntakeTask } from '../common/domain/task.ts';
import { isCompleteIngestion, isCompleteValidation, type ListedBatch } from './listing.ts';
import { sideBySide } from './side-by-side.ts';

/*
 * What is to be published, from what is there. Nothing here reads or writes anything: listings stream through, in the
 * order of their names, and tasks come out in the order of their batches.
 */

/** Batches dated up to a day ahead of us are taken in too, as by the reference. */
const AHEAD_MS = DAY_MS;

export function intakeInterval(now: Date, maxAgeMs: number): Interval {
  return { begin: new Date(now.getTime() - maxAgeMs), end: new Date(now.getTime() + AHEAD_MS) };
}

export interface WindowSettings {
  readonly periodMs: number;
  readonly graceMs: number;
  /** How many windows are looked at, the latest included. */
  readonly lookback: number;
  /** The window that holds this time, and no other. */
  readonly override?: Date | undefined;
}

/**
 * The windows that a run may schedule, oldest first: the last that ended at least the grace period ago, with those right
 * before it; or the one told.
 */
export function aggregationWindows(
  now: Date,
  { periodMs, graceMs, lookback, override }: WindowSettings,
): readonly [Interval, ...Interval[]] {
  if (override) return [windowHolding(override, periodMs)];
  const windows: [Interval, ...Interval[]] = [windowHolding(new Date(now.getTime() - graceMs - periodMs), periodMs)];
  while (windows.length < lookback) {
    const end = windows[0].begin;
    windows.unshift({ begin: new Date(end.getTime() - periodMs), end });
  }
  return windows;
}

/** What a listing came to. */
export interface Found {
  ready: number;
  incomplete: number;
}

export const nothingFound = (): Found => ({ ready: 0, incomplete: 0 });

export interface IntakePlan {
  /** In the intake interval. */
  readonly found: Found;
  skippedByMarker: number;
  /** Ready, without marker, and too old to be taken in. */
  readonly missed: BatchId[];
  /** All of the windows' span, so that it need not be listed again. */
  readonly inWindows: ListedBatch[];
  /** The first that is ready and later than all windows that the run looks at. */
  oldestBehindWindows: Date | undefined;
}

export const emptyIntakePlan = (): IntakePlan => ({
  found: nothingFound(),
  skippedByMarker: 0,
  missed: [],
  inWindows: [],
  oldestBehindWindows: undefined,
});

/** A batch whose intake task was published. */
export interface Marked {
  readonly batch: BatchId;
}

export interface IntakeListings {
  /** From the earlier of intake interval and windows on. */
  readonly ingestion: AsyncIterable<ListedBatch>;
  /** Of the same time. */
  readonly markers: AsyncIterable<Marked>;
}

/** An intake task for each batch of the interval that is ready and has no marker. Counts in `plan` on the way. */
export async function* intakeTasks(
  aggregationId: string,
  { ingestion, markers }: IntakeListings,
  { interval, windows }: { readonly interval: Interval; readonly windows: Interval },
  plan: IntakePlan,
): AsyncGenerator<IntakeTask> {
  for await (const { batch, entries } of sideBySide<ListedBatch | Marked>(ingestion, markers)) {
    // The lists keep their places.
    const [ingested, marker] = entries as [ListedBatch | undefined, Marked | undefined];
    if (!ingested) continue;
    const isReady = isCompleteIngestion(ingested);
    if (includes(windows, batch.time)) plan.inWindows.push(ingested);
    const isDue = includes(interval, batch.time);
    if (isDue) count(plan.found, isReady);
    if (!isReady) continue;
    if (batch.time >= windows.end) plan.oldestBehindWindows ??= batch.time;
    if (marker) plan.skippedByMarker += isDue ? 1 : 0;
    else if (isDue) yield { traceId: batch.id, aggregationId, batch };
    else plan.missed.push(batch);
  }
}

export interface WindowListings {
  readonly ingestion: AsyncIterable<ListedBatch>;
  readonly peerValidation: AsyncIterable<ListedBatch>;
  /** `undefined` where our own validation is not required. */
  readonly ownValidation: AsyncIterable<ListedBatch> | undefined;
}

export interface WindowPlan {
  readonly window: Interval;
  /** Complete here, validated by the peer and, where required, by us. */
  readonly batches: readonly BatchId[];
  /** Complete here and validated by the peer, but not by us. */
  readonly withoutOwnValidation: readonly BatchId[];
  /** Complete here, but not validated by the peer. */
  readonly withoutPeerValidation: readonly BatchId[];
  readonly ingestion: Found;
  readonly peerValidation: Found;
  readonly ownValidation: Found;
}

/**
 * What each of the windows holds, oldest first.
 * @param windows adjoining, oldest first
 * @param listings of all that they span together
 */
export async function* windowPlans(
  windows: readonly [Interval, ...Interval[]],
  { ingestion, peerValidation, ownValidation }: WindowListings,
): AsyncGenerator<WindowPlan> {
  const [first, ...others] = windows;
  let plan = new WindowDraft(first);
  const lists = [ingestion, peerValidation, ...(ownValidation ? [ownValidation] : [])];
  for await (const { batch, entries } of sideBySide(...lists)) {
    for (; batch.time >= plan.window.end && others.length > 0; plan = new WindowDraft(others.shift()!)) yield plan;
    const [ours, peers, told] = entries;
    plan.add(batch, ours, peers, ownValidation ? told : 'not required');
  }
  yield plan;
  for (const window of others) yield new WindowDraft(window);
}

class WindowDraft implements WindowPlan {
  readonly window: Interval;
  readonly batches: BatchId[] = [];
  readonly withoutOwnValidation: BatchId[] = [];
  readonly withoutPeerValidation: BatchId[] = [];
  readonly ingestion = nothingFound();
  readonly peerValidation = nothingFound();
  readonly ownValidation = nothingFound();

  constructor(window: Interval) {
    this.window = window;
  }

  add(
    batch: BatchId,
    ours: ListedBatch | undefined,
    peers: ListedBatch | undefined,
    told: ListedBatch | undefined | 'not required',
  ): void {
    const isOurs = ours !== undefined && count(this.ingestion, isCompleteIngestion(ours));
    const isPeers = peers !== undefined && count(this.peerValidation, isCompleteValidation(peers));
    const isTold =
      told === 'not required' || (told !== undefined && count(this.ownValidation, isCompleteValidation(told)));
    if (!isOurs) return;
    if (!isPeers) this.withoutPeerValidation.push(batch);
    else if (isTold) this.batches.push(batch);
    else this.withoutOwnValidation.push(batch);
  }
}

function count(found: Found, isReady: boolean): boolean {
  if (isReady) found.ready++;
  else found.incomplete++;
  return isReady;
}
