import { formatBatchTime, parseBatchTime } from '../common/domain/batch-time.ts';
import {
  aggregateClaim,
  aggregateClaimPrefix,
  aggregateMarker,
  aggregateMarkerPrefix,
  CLAIM_PREFIX,
  MARKER_PREFIX,
} from '../common/domain/marker.ts';
import type { Interval } from '../common/domain/interval.ts';
import {
  decodeAggregateTask,
  encodeAggregateReference,
  encodeAggregateTask,
  MAX_TASK_BYTES,
  type AggregateTask,
} from '../common/domain/task.ts';
import { ClaimUnusable } from './errors.ts';
import type { Storage } from '../common/ports/storage.ts';
import { readObject } from '../common/runtime/read-object.ts';
import { keysFrom } from './listing.ts';
import type { MarkedMessage } from './publish.ts';

/** The windows of one aggregation that have been decided, by the names of what stands for them. */
export interface DecidedWindows {
  readonly claims: ReadonlySet<string>;
  readonly markers: ReadonlySet<string>;
}

/** What stands in the name of a claim or marker behind its aggregation: the window's begin and end. */
const WINDOW = /^\d{4}(?:-\d\d){4}-\d{4}(?:-\d\d){4}$/;

/** May hold what is of aggregations whose id goes on where this one ends, and other things of such a name. */
export async function decidedWindows(
  storage: Storage,
  aggregationId: string,
  signal?: AbortSignal,
): Promise<DecidedWindows> {
  const [claims, markers] = await Promise.all(
    [aggregateClaimPrefix(aggregationId), aggregateMarkerPrefix(aggregationId)].map((prefix) =>
      setOf(keysFrom(storage, { prefix }, signal)),
    ),
  );
  // One for each prefix.
  return { claims: claims!, markers: markers! };
}

/** The end of the latest window of the aggregation whose task was published; `undefined` if there is none. */
export function latestMarkedEnd(aggregationId: string, { markers }: DecidedWindows): Date | undefined {
  const prefix = aggregateMarkerPrefix(aggregationId);
  let latest: Date | undefined;
  for (const key of markers) {
    const window = key.slice(prefix.length);
    // The prefix is also that of aggregations with a longer id.
    if (!WINDOW.test(window)) continue;
    const end = parseBatchTime(window.slice(window.length / 2 + 1).replaceAll('-', '/'));
    if (end && (!latest || end > latest)) latest = end;
  }
  return latest;
}

async function setOf(keys: AsyncIterable<string>): Promise<Set<string>> {
  const all = new Set<string>();
  for await (const key of keys) all.add(key);
  return all;
}

/**
 * The claimed tasks of an aggregation that were not published, or not marked, whatever their window, in its order.
 * `onUnusable` is told of each claim whose task cannot be read, or is not that of its name
 */
export async function* unpublishedClaims(
  storage: Storage,
  aggregationId: string,
  { claims, markers }: DecidedWindows,
  {
    onUnusable,
    signal,
  }: { readonly onUnusable: (error: ClaimUnusable) => void; readonly signal: AbortSignal | undefined },
): AsyncGenerator<MarkedMessage> {
  const prefix = aggregateClaimPrefix(aggregationId);
  for (const key of claims) {
    // The prefix is also that of aggregations with a longer id, and of the lease of one named `aggregate-…`.
    if (!WINDOW.test(key.slice(prefix.length))) continue;
    if (markers.has(MARKER_PREFIX + key.slice(CLAIM_PREFIX.length))) continue;
    const claim = await readUsable(storage, key, onUnusable, signal);
    if (claim) yield messageOf(claim);
  }
}

async function readUsable(
  storage: Storage,
  key: string,
  onUnusable: (error: ClaimUnusable) => void,
  signal?: AbortSignal,
): Promise<Claim | undefined> {
  try {
    return await readClaim(storage, key, signal);
  } catch (err) {
    if (!(err instanceof ClaimUnusable)) throw err;
    onUnusable(err);
    return undefined;
  }
}

/**
 * Claims a window for a task, for good: the message to publish is the claim's, whoever made it.
 * @throws ClaimUnusable
 */
export async function claimWindow(storage: Storage, task: AggregateTask, signal?: AbortSignal): Promise<MarkedMessage> {
  const key = aggregateClaim(task.aggregationId, task.window);
  const body = encodeAggregateTask(task);
  const created = await storage.createIfAbsent(key, Buffer.from(body), { signal });
  return messageOf(created === undefined ? await readClaim(storage, key, signal) : { body, task });
}

/**
 * The task that a window was claimed with.
 * @throws ClaimUnusable, ObjectMissing
 */
export async function claimedTask(
  storage: Storage,
  aggregationId: string,
  window: Interval,
  signal?: AbortSignal,
): Promise<AggregateTask> {
  return (await readClaim(storage, aggregateClaim(aggregationId, window), signal)).task;
}

interface Claim {
  /** To the byte. */
  readonly body: string;
  readonly task: AggregateTask;
}

/** @throws ClaimUnusable unless the task inside is that of the name: id and window inside decide whose claim it is */
async function readClaim(storage: Storage, key: string, signal?: AbortSignal): Promise<Claim> {
  const bytes = await readObject(storage, key, { signal });
  try {
    const task = decodeAggregateTask(bytes);
    if (aggregateClaim(task.aggregationId, task.window) === key) return { body: bytes.toString(), task };
  } catch (cause) {
    throw new ClaimUnusable(`the claim ${key} in ${storage.url} holds no task`, { cause });
  }
  throw new ClaimUnusable(`the claim ${key} in ${storage.url} holds the task of another window`);
}

/** The claim itself is the message, unless it is too long for one. */
function messageOf({ body, task }: Claim): MarkedMessage {
  const bytes = Buffer.from(body);
  const key = aggregateClaim(task.aggregationId, task.window);
  return {
    body: bytes.length > MAX_TASK_BYTES ? encodeAggregateReference(task, key, bytes) : body,
    marker: aggregateMarker(task.aggregationId, task.window),
    fields: {
      task: 'aggregate',
      trace_id: task.traceId,
      window_begin: formatBatchTime(task.window.begin),
      window_end: formatBatchTime(task.window.end),
      batches: task.batches.length,
    },
  };
}
