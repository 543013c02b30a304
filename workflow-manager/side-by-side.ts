import { compareBatches } from './listing.ts';
import type { BatchId } from '../common/domain/batch-path.ts';

/** A batch, and what each of the lists has of it, in their order. */
export interface Row<T> {
  readonly batch: BatchId;
  readonly entries: readonly (T | undefined)[];
}

/**
 * Goes through several lists of batches at once: a row for each batch that is in any of them, by time, then id. All
 * lists are in that order, each batch in them once, and are read to their ends, one entry of each in memory.
 */
export async function* sideBySide<T extends { readonly batch: BatchId }>(
  ...lists: readonly AsyncIterable<T>[]
): AsyncGenerator<Row<T>, void, undefined> {
  const readers = lists.map((list) => new Reader(list));
  try {
    await Promise.all(readers.map((reader) => reader.advance()));
    for (;;) {
      const batch = first(readers);
      if (!batch) return;
      const here = readers.filter(({ head }) => head && compareBatches(head.batch, batch) === 0);
      yield { batch, entries: readers.map((reader) => (here.includes(reader) ? reader.head : undefined)) };
      for (const reader of here) await reader.advance();
    }
  } finally {
    // Where one list fails, nobody else ends the others.
    await Promise.allSettled(readers.map((reader) => reader.end()));
  }
}

class Reader<T extends { readonly batch: BatchId }> {
  /** The next entry, `undefined` behind the last. */
  head: T | undefined;
  readonly #entries: AsyncIterator<T>;

  constructor(list: AsyncIterable<T>) {
    this.#entries = list[Symbol.asyncIterator]();
  }

  async advance(): Promise<void> {
    const next = await this.#entries.next();
    this.head = next.done ? undefined : next.value;
  }

  async end(): Promise<void> {
    await this.#entries.return?.();
  }
}

function first<T extends { readonly batch: BatchId }>(readers: readonly Reader<T>[]): BatchId | undefined {
  let least: BatchId | undefined;
  for (const { head } of readers) if (head && (!least || compareBatches(head.batch, least) < 0)) least = head.batch;
  return least;
}
