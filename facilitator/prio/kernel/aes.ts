import { subBytes } from './s-box.ts';
import { BLOCK_BYTES, SLICES_BYTES, transpose } from './slices.ts';

/**
 * AES-128 (FIPS 197) of eight blocks at once, each under a key of its own. There is neither a table nor a branch that
 * depends on them, so that it takes the same time whatever they are.
 */

const ROUNDS: usize = 10;
/** Bytes of the round keys of eight keys. */
export const ROUND_KEYS_BYTES: usize = (ROUNDS + 1) * SLICES_BYTES;

/**
 * Expands eight keys (FIPS 197 §5.2).
 * @param keys eight keys in a row, at the beginning of `ROUND_KEYS_BYTES` that become their round keys, as planes
 */
export function expandKeys(keys: usize): void {
  transpose(keys);
  let constant: u32 = 1;
  for (let round: usize = 1; round <= ROUNDS; round++) {
    const last = keys + (round - 1) * SLICES_BYTES;
    const next = last + SLICES_BYTES;
    memory.copy(next, last, SLICES_BYTES);
    subBytes(next);
    for (let plane: usize = 0; plane < 8; plane++) {
      const isSet = (constant >> u32(plane)) & 1;
      nextRoundKey(last + plane * BLOCK_BYTES, next + plane * BLOCK_BYTES, isSet ? 0xff : 0);
    }
    constant = (constant << 1) ^ (constant >> 7 ? 0x11b : 0);
  }
}

/**
 * One plane of it.
 * @param next the bytes of `last` after SubBytes, of which the fourth word counts
 * @param constant a byte of ones or zeros, for the first byte of a word
 */
function nextRoundKey(last: usize, next: usize, constant: i32): void {
  const substituted = v128.load(next);
  const fourth = v128.shuffle<u32>(substituted, substituted, 3, 3, 3, 3);
  const rotated = v128.or(i32x4.shr_u(fourth, 8), i32x4.shl(fourth, 24));
  // Each word plus all before it.
  const zero = i32x4.splat(0);
  let words = v128.load(last);
  words = v128.xor(words, v128.shuffle<u32>(zero, words, 0, 4, 5, 6));
  words = v128.xor(words, v128.shuffle<u32>(zero, words, 0, 0, 4, 5));
  v128.store(next, v128.xor(words, v128.xor(rotated, i32x4.splat(constant))));
}

/** Encrypts eight blocks in a row, in place. @param keys what `expandKeys` made */
export function encryptBlocks(blocks: usize, keys: usize): void {
  transpose(blocks);
  for (let at: usize = 0; at < SLICES_BYTES; at += BLOCK_BYTES) addRoundKey(blocks + at, keys + at);
  for (let round: usize = 1; round < ROUNDS; round++) {
    subBytes(blocks);
    finishRound(blocks, keys + round * SLICES_BYTES);
  }
  subBytes(blocks);
  const lastKeys = keys + ROUNDS * SLICES_BYTES;
  for (let at: usize = 0; at < SLICES_BYTES; at += BLOCK_BYTES) {
    v128.store(blocks + at, shiftRows(v128.load(blocks + at)));
    addRoundKey(blocks + at, lastKeys + at);
  }
  transpose(blocks);
}

function addRoundKey(plane: usize, key: usize): void {
  v128.store(plane, v128.xor(v128.load(plane), v128.load(key)));
}

/** §5.1.2, of a plane. Its bytes stand in four columns of four. */
function shiftRows(a: v128): v128 {
  // prettier-ignore
  return v128.shuffle<u8>(a, a,
    0, 5, 10, 15,
    4, 9, 14, 3,
    8, 13, 2, 7,
    12, 1, 6, 11);
}

/** As `shiftRows`; and then, for each byte, the one below it in its column. */
function shiftRowsUp(a: v128): v128 {
  // prettier-ignore
  return v128.shuffle<u8>(a, a,
    5, 10, 15, 0,
    9, 14, 3, 4,
    13, 2, 7, 8,
    1, 6, 11, 12);
}

/** For each byte the one two below it in its column. */
function twoUp(a: v128): v128 {
  // prettier-ignore
  return v128.shuffle<u8>(a, a,
    2, 3, 0, 1,
    6, 7, 4, 5,
    10, 11, 8, 9,
    14, 15, 12, 13);
}

/**
 * ShiftRows, MixColumns (§5.1.3) and AddRoundKey. With b the byte below a, and c = a + b, a column's byte becomes
 * 2·c + b + (c two below).
 */
function finishRound(planes: usize, keys: usize): void {
  const highest = sumWithBelow(planes, 7);
  let lower = highest;
  for (let plane: usize = 0; plane < 8; plane++) {
    const at = planes + plane * BLOCK_BYTES;
    const below = shiftRowsUp(v128.load(at));
    const sum = v128.xor(shiftRows(v128.load(at)), below);
    // Doubling moves each bit one plane up; the highest comes back as x^4 + x^3 + x + 1.
    let doubled = lower;
    if (plane == 1 || plane == 3 || plane == 4) doubled = v128.xor(doubled, highest);
    const mixed = v128.xor(v128.xor(doubled, below), twoUp(sum));
    v128.store(at, v128.xor(mixed, v128.load(keys + plane * BLOCK_BYTES)));
    lower = sum;
  }
}

function sumWithBelow(planes: usize, plane: usize): v128 {
  const bits = v128.load(planes + plane * BLOCK_BYTES);
  return v128.xor(shiftRows(bits), shiftRowsUp(bits));
}
