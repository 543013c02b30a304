import { parseBatchObject, type BatchInfix, type BatchPart } from '../common/domain/batch-object.ts';
import type { BatchId } from '../common/domain/batch-path.ts';
import { formatBatchTime } from '../common/domain/batch-time.ts';
import { includes, MINUTE_MS, type Interval } from '../common/domain/interval.ts';
import { CLAIM_PREFIX, MARKER_PREFIX } from '../common/domain/marker.ts';
import type { Storage } from '../common/ports/storage.ts';

/** A batch, and which of its objects are there. */
export interface ListedBatch {
  readonly batch: BatchId;
  readonly parts: ReadonlySet<BatchPart>;
}

/** Told of every name that is no canonical one of the kind that is listed. */
export type OnStray = (key: string) => void;

/** An ingestion batch is ready when it is complete: its signature says nothing about the other two being there. */
export const isCompleteIngestion = ({ parts }: ListedBatch): boolean => parts.size === 3;

/** A validation batch is ready when its signature is there: it is written last, and may be the only object. */
export const isCompleteValidation = ({ parts }: ListedBatch): boolean => parts.has('signature');

/** The keys of an aggregation's batches in an interval, and perhaps a few more, ascending. */
export async function* keysInInterval(
  storage: Storage,
  aggregationId: string,
  { begin, end }: Interval,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const prefix = `${aggregationId}/`;
  // Names have whole minutes; the last one that begins before `end` still counts.
  const endKey = prefix + formatBatchTime(new Date(Math.ceil(end.getTime() / MINUTE_MS) * MINUTE_MS));
  yield* keysFrom(storage, { prefix, startAt: prefix + formatBatchTime(begin), end: endKey }, signal);
}

/**
 * Puts the objects of each batch together. Ascending keys have them side by side, so one batch is in memory at a time,
 * and the batches come ordered by time, then id.
 * @param keys ascending
 */
export async function* listedBatches(
  keys: AsyncIterable<string>,
  infix: BatchInfix,
  interval: Interval,
  onStray: OnStray,
): AsyncGenerator<ListedBatch> {
  let current: { batch: BatchId; parts: ReadonlySet<BatchPart> } | undefined;
  for await (const key of keys) {
    const object = parseBatchObject(key);
    if (!object || object.infix !== infix) {
      onStray(key);
      continue;
    }
    if (!includes(interval, object.batch.time)) continue;
    if (current && compareBatches(current.batch, object.batch) !== 0) {
      yield current;
      current = undefined;
    }
    current ??= { batch: object.batch, parts: setOf() };
    current.parts = setOf(...current.parts, object.part);
  }
  if (current) yield current;
}

const sets = new Map<string, ReadonlySet<BatchPart>>();

/** One set for all batches with the same parts, as they are many, and few kinds of them. */
function setOf(...parts: readonly BatchPart[]): ReadonlySet<BatchPart> {
  const key = parts.join();
  const set = sets.get(key) ?? new Set(parts);
  sets.set(key, set);
  return set;
}

/** By time, then id: the order of their names. */
export function compareBatches(a: BatchId, b: BatchId): number {
  return a.time.getTime() - b.time.getTime() || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** Where a listing begins and ends. */
export interface KeyRange {
  readonly prefix: string;
  /** Default: with the first key. */
  readonly startAt?: string;
  /** The first key that is left out. Default: none is. */
  readonly end?: string;
}

/** The keys of a range, ascending. */
export async function* keysFrom(
  storage: Storage,
  { prefix, startAt, end }: KeyRange,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  yield* storage.list({ prefix, ...(startAt !== undefined && { startAt }), endBefore: end, signal });
}

const RESERVED = new Set([MARKER_PREFIX, CLAIM_PREFIX]);

/** The aggregations that have objects: the top-level folders of the ingestion storage. */
export async function* aggregationIds(
  storage: Storage,
  onStray: OnStray,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  for await (const name of storage.listFolder({ signal })) {
    if (!name.endsWith('/')) onStray(name);
    else if (!RESERVED.has(name)) yield name.slice(0, -1);
  }
}
