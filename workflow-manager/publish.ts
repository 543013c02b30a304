import type { LimitFunction } from 'p-limit';
import type { Logger } from 'pino';
import { errorFields } from '../common/errors.ts';
import type { Enqueuer } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import type { AggregationLease } from './lease.ts';

/** A message and the marker that says it was published. */
export interface MarkedMessage {
  readonly body: string;
  readonly marker: string;
  /** For logs: what the task is about. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Publishing {
  readonly enqueuer: Enqueuer;
  /** Where markers go. */
  readonly storage: Storage;
  readonly lease: AggregationLease;
  readonly chunkSize: number;
  /** How many messages may be under way at once, others' included. */
  readonly limit: LimitFunction;
  readonly log: Logger;
  /** Told what became of each message. */
  readonly onTask?: ((task: TaskOutcome) => void) | undefined;
}

/** What became of a message. */
export interface TaskOutcome extends MarkedMessage {
  /** Whether it was published and has its marker. */
  readonly isPublished: boolean;
}

export interface Published {
  readonly published: number;
  /** Not published, or published without a marker; each is logged. */
  readonly failed: number;
}

/** Fewer failures in a row may be of messages that are at fault themselves; then the queue is. */
const HOPELESS_FAILURES = 10;

/**
 * Publishes messages chunk by chunk, each followed by its marker, so that a crash in between costs a repeat at most.
 * The lease is looked at before every chunk. It gives up, with the rest neither tried nor counted, once whole chunks
 * fail: the rest would, too, and each attempt may take its time.
 * @throws LeaseLost, or the signal's reason between two chunks
 */
export async function publishAll(
  messages: AsyncIterable<MarkedMessage>,
  publishing: Publishing,
  signal?: AbortSignal,
): Promise<Published> {
  let published = 0;
  let failed = 0;
  let failedSinceSuccess = 0;
  for await (const chunk of chunksOf(messages, publishing.chunkSize)) {
    signal?.throwIfAborted();
    await publishing.lease.assertHeld();
    const outcomes = await Promise.all(chunk.map((message) => publishing.limit(() => publishOne(message, publishing))));
    const done = outcomes.filter((isDone) => isDone).length;
    published += done;
    failed += chunk.length - done;
    failedSinceSuccess = done > 0 ? 0 : failedSinceSuccess + chunk.length;
    if (failedSinceSuccess >= HOPELESS_FAILURES) {
      publishing.log.error({ failed: failedSinceSuccess }, 'publishing is given up: the last tasks failed one and all');
      break;
    }
  }
  return { published, failed };
}

async function publishOne(message: MarkedMessage, publishing: Publishing): Promise<boolean> {
  const isPublished = await publishAndMark(message, publishing);
  publishing.onTask?.({ ...message, isPublished });
  return isPublished;
}

async function publishAndMark(message: MarkedMessage, { enqueuer, storage, log }: Publishing): Promise<boolean> {
  let failure = 'task could not be published';
  try {
    // Not aborted half-way: what is in flight is finished and marked.
    await enqueuer.publish(message.body);
    failure = 'task was published, but its marker could not be written: it will be published again';
    await storage.createIfAbsent(message.marker, Buffer.from(message.marker));
    log.info(message.fields, 'task published');
    return true;
  } catch (err) {
    log.error({ ...message.fields, ...errorFields(err) }, failure);
    return false;
  }
}

async function* chunksOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
