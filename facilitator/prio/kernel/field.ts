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

/** low + 2^32·high as an element. */
export function reduceWide(low: u64, high: u64): u32 {
  return u32(((high % u64(P)) * TWO_32_MOD_P + (low % u64(P))) % u64(P));
}
