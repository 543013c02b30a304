import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StorageUnavailable } from '../../errors.ts';
import { gcsFailure, type GcsAction } from './gcs-errors.ts';

/** To here the rest of a body that nobody wants is read all the same, as a new connection costs more. */
const DRAINED_BYTES = 64 * 1024;

/** An object on its way to us. */
export interface GcsTransmission {
  readonly stream: Readable;
  /** Breaks it off, and the connection with it. */
  readonly cancel: () => void;
  /** Bytes that are to come; `undefined` if that is not known. */
  readonly length: number | undefined;
  /** The digest that they are to have, in base64; not all objects have one. */
  readonly md5: string | undefined;
}

/**
 * The bytes of an object, which occupy a connection until they are read, the iterator is returned or `signal` aborts.
 * Once they are read to the end, their number and digest are as the storage had told. Whoever is kept waiting too long
 * gets `StorageUnavailable`: Google's HTTP client does not notice a connection that the other side has shut down.
 *
 * Not a generator: one that was never started would not run its `finally`, and leave the connection occupied.
 */
export class GcsBody implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  readonly #transmission: GcsTransmission;
  readonly #chunks: AsyncIterator<Uint8Array, undefined>;
  readonly #action: GcsAction;
  readonly #idleTimeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #digest: Hash | undefined;
  #received = 0;
  #isClosed = false;

  constructor(
    transmission: GcsTransmission,
    action: GcsAction,
    { idleTimeoutMs, signal }: { readonly idleTimeoutMs: number; readonly signal: AbortSignal | undefined },
  ) {
    this.#transmission = transmission;
    this.#chunks = transmission.stream[Symbol.asyncIterator]();
    this.#action = action;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#signal = signal;
    this.#digest = transmission.md5 === undefined ? undefined : createHash('md5');
    signal?.addEventListener('abort', this.#abort, { once: true });
    // Aborted while the request was answered: the event is over.
    if (signal?.aborted === true) this.#abort();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#signal?.throwIfAborted();
    if (this.#isClosed) return { done: true, value: undefined };
    const { done, value } = await this.#nextChunk();
    if (done === true) {
      this.#close();
      this.#checkWhole();
      return { done: true, value: undefined };
    }
    this.#received += value.length;
    this.#digest?.update(value);
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isClosed) {
      this.#close();
      const { stream, cancel, length = Infinity } = this.#transmission;
      if (length <= DRAINED_BYTES) stream.resume();
      else cancel();
    }
    return { done: true, value: undefined };
  }

  async #nextChunk(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { stream, cancel } = this.#transmission;
    const expire = (): void => void stream.destroy(new Error(`no more bytes came for ${this.#idleTimeoutMs / 1000} s`));
    const timer = setTimeout(expire, this.#idleTimeoutMs);
    try {
      return await this.#chunks.next();
    } catch (err) {
      this.#close();
      cancel();
      // Breaking it off looks like a failure.
      this.#signal?.throwIfAborted();
      throw gcsFailure(this.#action, err);
    } finally {
      clearTimeout(timer);
    }
  }

  #checkWhole(): void {
    const { length = this.#received, md5 } = this.#transmission;
    const isWhole = this.#received === length && (md5 === undefined || this.#digest?.digest('base64') === md5);
    if (isWhole) return;
    const { key = '', url } = this.#action;
    throw new StorageUnavailable(`'${key}' in ${url} arrived damaged: ${this.#received} bytes of ${length}`);
  }

  readonly #abort = (): void => {
    this.#close();
    this.#transmission.cancel();
    this.#transmission.stream.destroy();
  };

  #close(): void {
    this.#isClosed = true;
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}
