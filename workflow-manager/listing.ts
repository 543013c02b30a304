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
  const startAt = prefix + formatBatchTime(begin);
  for await (const key of storage.list({ prefix, startAt, signal })) {
    if (key >= endKey) return;
    yield key;
  }
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
  let current: { batch: BatchId; parts: Set<BatchPart> } | undefined;
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
    current ??= { batch: object.batch, parts: new Set() };
    current.parts.add(object.part);
  }
  if (current) yield current;
}

/** By time, then id: the order of their names. */
export function compareBatches(a: BatchId, b: BatchId): number {
  return a.time.getTime() - b.time.getTime() || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** The keys of markers in a storage that begin with `prefix`, from `startAt` on, to `end` if that is given. */
export async function markersIn(
  storage: Storage,
  { prefix, startAt, end }: { readonly prefix: string; readonly startAt?: string; readonly end?: string },
  signal?: AbortSignal,
): Promise<Set<string>> {
  const found = new Set<string>();
  const options = { prefix, ...(startAt !== undefined && { startAt }), signal };
  for await (const key of storage.list(options)) {
    if (end !== undefined && key >= end) break;
    found.add(key);
  }
  return found;
}

const RESERVED = new Set([MARKER_PREFIX, CLAIM_PREFIX].map((prefix) => prefix.slice(0, -1)));

/** The aggregations that have objects: the top-level folders of the ingestion storage. */
export async function* aggregationIds(
  storage: Storage,
  onStray: OnStray,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  let startAt = '';
  for (;;) {
    const key = await firstKey(storage, startAt, signal);
    if (key === undefined) return;
    const slash = key.indexOf('/');
    if (slash < 0) {
      onStray(key);
      // The next key that there can be: a blank is the least character of a key.
      startAt = `${key} `;
      continue;
    }
    const id = key.slice(0, slash);
    if (!RESERVED.has(id)) yield id;
    // '0' comes right after '/', so this is the first key behind the whole folder.
    startAt = `${id}0`;
  }
}

async function firstKey(storage: Storage, startAt: string, signal?: AbortSignal): Promise<string | undefined> {
  for await (const key of storage.list({ startAt, signal })) return key;
  return undefined;
}
