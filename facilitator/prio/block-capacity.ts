import type { ShareLayout } from './layout.ts';

/** What the shares of a block may take, so that they stay in a processor's own cache. */
const BLOCK_BYTES = 2 * 1024 * 1024;
const MAX_SHARES = 1024;

/** How many shares an evaluator takes at once: as many as fit in 2 MiB, at least 1, at most 1024. */
export function blockCapacity({ length }: ShareLayout): number {
  return Math.min(MAX_SHARES, Math.max(1, Math.floor(BLOCK_BYTES / (4 * length))));
}

/** @throws RangeError */
export function requirePlace(index: number, capacity: number): void {
  if (index < 0 || index >= capacity) throw new RangeError(`a block has ${capacity} shares: there is no ${index}`);
}
