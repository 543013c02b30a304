/**
 * Arithmetic modulo p = 2^32 - 2^20 + 1, as in ../field.ts. Products are Montgomery's with R = 2^32, which suits this p:
 * its inverse modulo R is 2^20 + 1. A number x is in Montgomery form as x·R mod p.
 */

export const P: u32 = 4293918721;

/** 1 in Montgomery form: R mod p. */
export const ONE: u32 = 1048575;
/** R^2 mod p: `product` with it takes a number to Montgomery form. */
const R_SQUARED: u32 = 266338049;
/** p^-1 mod R, as (1 - 2^20)(1 + 2^20) = 1 - 2^40. */
const P_INVERSE: u32 = 1048577;
/** R mod p, for 64-bit words. */
const TWO_32_MOD_P: u64 = 1048575;

/** Any unsigned 32-bit integer as an element. */
export function reduce(word: u32): u32 {
  return word >= P ? word - P : word;
}

export function add(a: u32, b: u32): u32 {
  const sum = u64(a) + u64(b);
  return u32(sum >= P ? sum - P : sum);
}

export function sub(a: u32, b: u32): u32 {
  return a - b + (a < b ? P : 0);
}

/**
 * a·b/R mod p, of elements: a product where one factor is in Montgomery form, the product's Montgomery form where both
 * are. The low words of a·b and of the multiple of p are equal, so that the high words differ by the result.
 */
export function product(a: u32, b: u32): u32 {
  const ab = u64(a) * u64(b);
  const multiple = u64(u32(ab) * P_INVERSE) * u64(P);
  return sub(u32(ab >> 32), u32(multiple >> 32));
}

export function toMontgomery(a: u32): u32 {
  return product(a, R_SQUARED);
}

/*
 * The same for four elements at once, in the four words of a vector.
 */

/** Words in a vector. */
export const WIDTH: u32 = 4;

/** a + b = a - (p - b), which does not overflow. */
export function add4(a: v128, b: v128): v128 {
  return sub4(a, i32x4.sub(i32x4.splat(P), b));
}

export function sub4(a: v128, b: v128): v128 {
  return i32x4.add(i32x4.sub(a, b), v128.and(i32x4.lt_u(a, b), i32x4.splat(P)));
}

/** As `product`. p^-1 mod R is 2^20 + 1, so that a shift multiplies by it. */
export function product4(a: v128, b: v128): v128 {
  const firstTwo = i64x2.extmul_low_i32x4_u(a, b);
  const lastTwo = i64x2.extmul_high_i32x4_u(a, b);
  const low = v128.shuffle<u32>(firstTwo, lastTwo, 0, 2, 4, 6);
  const factor = i32x4.add(low, i32x4.shl(low, 20));
  const p = i32x4.splat(P);
  return sub4(
    v128.shuffle<u32>(firstTwo, lastTwo, 1, 3, 5, 7),
    v128.shuffle<u32>(i64x2.extmul_low_i32x4_u(factor, p), i64x2.extmul_high_i32x4_u(factor, p), 1, 3, 5, 7),
  );
}

/** low + 2^32·high as an element. */
export function reduceWide(low: u64, high: u64): u32 {
  return u32(((high % u64(P)) * TWO_32_MOD_P + (low % u64(P))) % u64(P));
}
