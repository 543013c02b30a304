/**
 * Blocks of AES in slices: eight blocks as eight planes, one for each bit of a byte from the lowest on. Byte i of plane
 * j has bit j of byte i of each block, block k in bit k. What AES does to bytes then are operations on whole vectors, for
 * all blocks at once.
 */

/** Blocks in a set of slices. */
export const BLOCKS_AT_ONCE: u32 = 8;
/** Bytes of a block. */
export const BLOCK_BYTES: usize = 16;
/** Bytes of the planes, or of the blocks. */
export const SLICES_BYTES: usize = 8 * BLOCK_BYTES;

/** Turns eight blocks in a row into their planes, or back: transposes 8 × 8 bits, 16 times. */
export function transpose(rows: usize): void {
  swapQuarters(rows, 1, 0x55);
  swapQuarters(rows, 2, 0x33);
  swapQuarters(rows, 4, 0x0f);
}

/**
 * In each square of twice as many rows and bits as `half`: exchanges the upper right quarter with the lower left.
 * @param mask the low bits of the squares
 */
function swapQuarters(rows: usize, half: usize, mask: i8): void {
  for (let row: usize = 0; row < 8; row++) {
    if ((row & half) == 0) swapBits(rows + row * BLOCK_BYTES, rows + (row + half) * BLOCK_BYTES, i32(half), mask);
  }
}

/** Exchanges the bits at one address that are `shift` above those of `mask` with those at the other that are in it. */
function swapBits(at: usize, otherAt: usize, shift: i32, mask: i8): void {
  const a = v128.load(at);
  const b = v128.load(otherAt);
  const differences = v128.and(v128.xor(i64x2.shr_u(a, shift), b), i8x16.splat(mask));
  v128.store(at, v128.xor(a, i64x2.shl(differences, shift)));
  v128.store(otherAt, v128.xor(b, differences));
}
