import { encryptBlocks, expandKeys } from './aes.ts';
import { bins, counters, keystream, points, roundKeys, SEED_BYTES, seeds, shares, stride } from './memory.ts';
import { keepElements } from './shares.ts';
import { BLOCK_BYTES, BLOCKS_AT_ONCE } from './slices.ts';

/**
 * Expands the seeds from `begin` up to `end` into the shares of the same places, each from the first `blocks` blocks of
 * its keystream: as `expandSeed`, ../seed.ts.
 * @returns the place of the first share for which these were too few, or `end`
 */
export function expandSeeds(begin: u32, end: u32, blocks: u32): u32 {
  for (let first = begin; first < end; first += BLOCKS_AT_ONCE) {
    const count = min(BLOCKS_AT_ONCE, end - first);
    readSeeds(first);
    expandKeys(roundKeys);
    for (let block: u32 = 0; block < blocks; block++) writeBlocks(first, count, block);
    for (let i = first; i < first + count; i++) {
      if (keepElements(i, 4 * blocks) < bins + 3 + points) return i;
    }
  }
  return end;
}

/** Of a whole set of slices, whatever is behind the last. */
function readSeeds(first: u32): void {
  for (let k: usize = 0; k < usize(BLOCKS_AT_ONCE); k++) {
    const seed = seeds + SEED_BYTES * (usize(first) + k);
    v128.store(roundKeys + BLOCK_BYTES * k, v128.load(seed));
    v128.store(counters + BLOCK_BYTES * k, v128.load(seed, 16));
  }
}

/** Block number `block` of each keystream. The counters' low halves count on, and wrap without a carry. */
function writeBlocks(first: u32, count: u32, block: u32): void {
  for (let k: usize = 0; k < usize(BLOCKS_AT_ONCE); k++) {
    const counter = counters + BLOCK_BYTES * k;
    v128.store(keystream + BLOCK_BYTES * k, v128.load(counter));
    store<u64>(counter, bswap(bswap(load<u64>(counter, 8)) + 1), 8);
  }
  encryptBlocks(keystream, roundKeys);
  for (let k: usize = 0; k < usize(count); k++) {
    const share = shares + stride * (usize(first) + k);
    v128.store(share + BLOCK_BYTES * usize(block), v128.load(keystream + BLOCK_BYTES * k));
  }
}
