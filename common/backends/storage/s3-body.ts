import type { Readable } from 'node:stream';
import { StorageUnavailable } from '../../errors.ts';
import { copiesOf } from './bytes.ts';
import type { S3Action } from './s3-errors.ts';
import { named } from './s3-requests.ts';

/** Up to here an object is read at once, which frees its connection whether or not anybody reads on. */
const AT_ONCE_BYTES = 64 * 1024;
/** How long S3 may keep a reader waiting. */
const STALL_MS = 30_000;

/**
 * The content of an answer. A larger one holds a connection until the consumer comes to the end, stops early or fails;
 * one that wants nothing of it calls `body[Symbol.asyncIterator]().return()`.
 */
export async function s3Body(
  stream: Readable,
  size: number,
  action: S3Action,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const chunks = new S3Chunks(stream, action, signal);
  if (size > AT_ONCE_BYTES) return chunks;
  const read: Uint8Array[] = [];
  try {
    for await (const chunk of chunks) read.push(chunk);
  } catch (err) {
    signal?.throwIfAborted();
    // Told to who reads it, as with a larger one.
    return failing(err);
  }
  return copiesOf(Buffer.concat(read), signal);
}

function failing(err: unknown): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        throw err;
      },
    }),
  };
}

/** Not a generator: one that was never started would not run its `finally`, and leave the connection open. */
class S3Chunks implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #action: S3Action;
  readonly #signal: AbortSignal | undefined;

  constructor(stream: Readable, action: S3Action, signal: AbortSignal | undefined) {
    this.#stream = stream;
    // An error between two reads has no other listener; the next read tells of it.
    stream.on('error', () => {});
    // The library's streams of bytes are in no other mode.
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#action = action;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (signal?.aborted === true) this.#abort();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const stalled = setTimeout(() => this.#close(this.#stall()), STALL_MS);
    try {
      this.#signal?.throwIfAborted();
      const next = await named(this.#action, this.#signal, () => this.#chunks.next());
      if (next.done !== true) return { done: false, value: next.value };
    } catch (err) {
      this.#close();
      throw err;
    } finally {
      clearTimeout(stalled);
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  #stall(): StorageUnavailable {
    const { key = '', location } = this.#action;
    return new StorageUnavailable(`'${key}' in ${location.url} stalls: no data for ${STALL_MS / 1000} seconds`);
  }

  readonly #abort = (): void => this.#close();

  /** With the whole answer read this only lets go of the signal: the connection serves the next request. */
  #close(err?: Error): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#stream.destroy(err);
  }
}
