import pRetry, { AbortError } from 'p-retry';
import { StorageUnavailable } from '../errors.ts';
import type { Storage, StorageOptions, StoredObject } from '../ports/storage.ts';
import { BODY_RETRIES, openObject } from './read-object.ts';

/** The bytes of an object in chunks, to be iterated once. Whoever stops early calls `return`, or has it disposed of. */
export interface ObjectChunks extends AsyncIterableIterator<Uint8Array, undefined>, AsyncDisposable {
  return(): Promise<IteratorResult<Uint8Array, undefined>>;
}

/**
 * The bytes of an object as they arrive, all of one version. If the body breaks off, the object is opened again and
 * what has been given already is skipped, twice at most before it gets any further.
 *
 * While they are iterated: StorageUnavailable if the body keeps breaking off, or if the object was replaced meanwhile;
 * ObjectMissing if it was deleted; the signal's reason.
 * @throws ObjectMissing if there is none
 */
export async function streamObject(storage: Storage, key: string, options: StorageOptions = {}): Promise<ObjectChunks> {
  return new ObjectStream(storage, key, options, await storage.get(key, options));
}

class ObjectStream implements ObjectChunks {
  readonly #storage: Storage;
  readonly #key: string;
  readonly #options: StorageOptions;
  readonly #version: string;
  /** `undefined` after it broke off. */
  #body: AsyncIterator<Uint8Array> | undefined;
  #given = 0;
  /** How many bytes of the body have been given from an earlier one. */
  #toSkip = 0;
  #done = false;

  constructor(storage: Storage, key: string, options: StorageOptions, { version, body }: StoredObject) {
    this.#storage = storage;
    this.#key = key;
    this.#options = options;
    this.#version = version;
    this.#body = body[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#done) return { done: true, value: undefined };
    const { signal } = this.#options;
    const shouldRetry = ({ error }: { readonly error: Error }): boolean => error instanceof StorageUnavailable;
    try {
      const result = await pRetry(() => this.#nextChunk(), { ...BODY_RETRIES, shouldRetry, signal });
      if (result.done) this.#done = true;
      else this.#given += result.value.length;
      return result;
    } catch (err) {
      await this.return();
      throw err;
    }
  }

  /** Lets go of what holds the object open. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#done = true;
    const body = this.#body;
    this.#body = undefined;
    await body?.return?.();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #nextChunk(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#body ??= await this.#openAgain();
    const body = this.#body;
    try {
      for (;;) {
        const result = await body.next();
        if (result.done) {
          if (this.#toSkip === 0) return { done: true, value: undefined };
          throw new StorageUnavailable(`${this.#place} ended ${this.#toSkip} bytes before what had been read of it`);
        }
        const skipped = Math.min(this.#toSkip, result.value.length);
        this.#toSkip -= skipped;
        if (skipped < result.value.length) return { value: result.value.subarray(skipped) };
      }
    } catch (err) {
      // It has ended with its error.
      this.#body = undefined;
      throw err;
    }
  }

  async #openAgain(): Promise<AsyncIterator<Uint8Array>> {
    const { version, body } = await openObject(this.#storage, this.#key, this.#options);
    const iterator = body[Symbol.asyncIterator]();
    if (version !== this.#version) {
      await iterator.return?.();
      throw new AbortError(new StorageUnavailable(`${this.#place} was replaced while it was read; read it anew`));
    }
    this.#toSkip = this.#given;
    return iterator;
  }

  get #place(): string {
    return `${this.#key} in ${this.#storage.url}`;
  }
}
