/** Where things are in the memory. Addresses are of bytes; every region begins at a multiple of 16. */

import { ROUND_KEYS_BYTES } from './aes.ts';
import { BLOCKS_AT_ONCE, SLICES_BYTES } from './slices.ts';

const PAGE: usize = 65536;

/** Of a seed: an AES key and the first counter. */
export const SEED_BYTES: usize = 32;

/** Data elements in a share. */
export let bins: u32 = 0;
/** N, a power of two. */
export let points: u32 = 0;
/** log2 N. */
export let levels: u32 = 0;
export let isFirst: bool = false;
/** Bytes from a share to the next. */
export let stride: usize = 0;

/** 19 + 1 words: r^(2^k) and the like, in Montgomery form. */
export let squares: usize = 0;
/** N words: roots of unity, see roots.ts. */
export let roots: usize = 0;
/** N words: weights of the values at N-th roots. */
export let low: usize = 0;
/** N words: weights of the values at odd 2N-th roots. */
export let high: usize = 0;
/** `bins` double words. */
export let totals: usize = 0;
/** `bins` words. */
export let sum: usize = 0;
/** A word a share. */
export let rPits: usize = 0;
/** Three words a share. */
export let messages: usize = 0;
/** A byte a share. */
export let told: usize = 0;
/** A byte a share. */
export let chosen: usize = 0;
/** `stride` bytes a share: `bins + 3 + N` words, and room. */
export let shares: usize = 0;

/** `SEED_BYTES` a share, of as many as fill the last slices. */
export let seeds: usize = 0;
/** Of the seeds that are expanded together; see aes.ts. */
export let roundKeys: usize = 0;
/** A block for each of these seeds: the next to be encrypted. */
export let counters: usize = 0;
/** A block for each of these seeds. */
export let keystream: usize = 0;

let end: usize = 0;

/**
 * Divides the memory, and has it grown as needed.
 * @param words for a share, with room
 */
export function divideMemory(ofBins: u32, ofPoints: u32, first: bool, capacity: u32, words: u32): void {
  bins = ofBins;
  points = ofPoints;
  levels = ctz(ofPoints);
  isFirst = first;
  stride = aligned(4 * usize(words));
  end = aligned(__heap_base);
  squares = take(4 * 20);
  roots = take(4 * usize(ofPoints));
  low = take(4 * usize(ofPoints));
  high = take(4 * usize(ofPoints));
  totals = take(8 * usize(ofBins));
  sum = take(4 * usize(ofBins));
  rPits = take(4 * usize(capacity));
  messages = take(12 * usize(capacity));
  told = take(usize(capacity));
  chosen = take(usize(capacity));
  shares = take(stride * usize(capacity));
  seeds = take(SEED_BYTES * usize(capacity + BLOCKS_AT_ONCE - 1));
  roundKeys = take(ROUND_KEYS_BYTES);
  counters = take(SLICES_BYTES);
  keystream = take(SLICES_BYTES);
  const missing = i32((end + PAGE - 1) / PAGE) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
}

function take(bytes: usize): usize {
  const start = end;
  end += aligned(bytes);
  return start;
}

function aligned(address: usize): usize {
  return (address + 15) & ~usize(15);
}
