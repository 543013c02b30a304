import pLimit, { type LimitFunction } from 'p-limit';

/** An item that waits for its fate, of which only the first call decides. */
export interface BatchEntry<T> {
  readonly item: T;
  resolve(): void;
  reject(reason: unknown): void;
}

export interface BatcherOptions<T> {
  readonly maxItems: number;
  /** Of all items of a batch together. */
  readonly maxBytes: number;
  /** Batches sent at once; others wait. */
  readonly batchesAtOnce: number;
  /** Settles the entries; those left when it throws are rejected with the same error. */
  readonly send: (batch: readonly BatchEntry<T>[]) => Promise<void>;
}

interface SizedEntry<T> extends BatchEntry<T> {
  readonly bytes: number;
}

/** Sends the items that come in one turn of the event loop together, in as few batches as limits and order permit. */
export class Batcher<T> {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #send: BatcherOptions<T>['send'];
  readonly #limit: LimitFunction;
  #collected: SizedEntry<T>[] = [];

  constructor({ maxItems, maxBytes, batchesAtOnce, send }: BatcherOptions<T>) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#send = send;
    this.#limit = pLimit(batchesAtOnce);
  }

  /**
   * Resolves or rejects as `send` decides.
   * @param bytes the item's size, at most `maxBytes`
   */
  add(item: T, bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#collected.length === 0) setImmediate(() => this.#flush());
      this.#collected.push({ item, bytes, resolve, reject });
    });
  }

  #flush(): void {
    const entries = this.#collected;
    this.#collected = [];
    let batch: SizedEntry<T>[] = [];
    let bytes = 0;
    for (const entry of entries) {
      if (batch.length === this.#maxItems || bytes + entry.bytes > this.#maxBytes) {
        this.#dispatch(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(entry);
      bytes += entry.bytes;
    }
    this.#dispatch(batch);
  }

  #dispatch(batch: readonly SizedEntry<T>[]): void {
    this.#limit(() => this.#send(batch)).catch((err: unknown) => {
      for (const entry of batch) entry.reject(err);
    });
  }
}
