import type { FileHandle } from 'node:fs/promises';
import { StorageUnavailable } from '../../errors.ts';
import { named, type FileAction } from './file-errors.ts';
import type { OpenFile } from './file-state.ts';

/** Up to here a file is read at once: two chunks' worth of memory is cheaper than an open handle. */
const AT_ONCE_BYTES = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/**
 * The content of an open file, which is closed when that is done. A small file is read and closed right away.
 * A larger one is closed when the consumer comes to the end, stops early, fails, or `signal` aborts; a consumer
 * that wants nothing of it calls `body[Symbol.asyncIterator]().return()`.
 */
export async function fileBody(
  file: OpenFile,
  action: FileAction,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const chunks = new FileChunks(file, action, signal);
  // Aborted while the file was being opened: the event is over.
  if (signal?.aborted === true) await chunks.return();
  signal?.throwIfAborted();
  if (file.size > AT_ONCE_BYTES) return chunks;
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return replay(read, signal);
}

async function* replay(
  chunks: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** Not a generator: one that was never started would not run its `finally`, and leave the handle open. */
class FileChunks implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #action: FileAction;
  readonly #signal: AbortSignal | undefined;
  #at = 0;
  #closed: Promise<void> | undefined;

  constructor(file: OpenFile, action: FileAction, signal: AbortSignal | undefined) {
    this.#handle = file.handle;
    this.#size = file.size;
    this.#action = action;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      this.#signal?.throwIfAborted();
      if (this.#closed === undefined && this.#at < this.#size) {
        return { done: false, value: await named(this.#action, () => this.#read()) };
      }
    } catch (err) {
      await this.#close();
      // A read that the abort cut off fails for no better reason than the abort.
      this.#signal?.throwIfAborted();
      throw err;
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await named(this.#action, () => this.#close());
    return { done: true, value: undefined };
  }

  async #read(): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.#size - this.#at));
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#at);
    if (bytesRead === 0) {
      const { key = '', url } = this.#action;
      throw new StorageUnavailable(`'${key}' in ${url} was cut short by another program while we read it`);
    }
    this.#at += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  readonly #abort = (): void => {
    // Whoever reads on hears of the abort; a failing close has nobody else to tell.
    this.#close().catch(() => {});
  };

  #close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#closed ??= this.#handle.close();
    return this.#closed;
  }
}
