/**
 * Arithmetic in the field of Prio v2: integers modulo `P`, each held as a number in [0, P).
 * Source: docs/protocol.md, "The field". All functions expect reduced operands and return reduced results.
 */

/** p = 2^32 - 2^20 + 1, a prime; p - 1 has the factor 2^20, hence roots of unity up to that order. */
export const P = 4293918721;

const P_INVERSE = 1 / P;
const TWO_32 = 4294967296;
/** 2^32 mod p. */
const TWO_32_MOD_P = 1048575;

/** Any unsigned 32-bit integer as a field element; values in [p, 2^32) wrap, as in the reference. */
export function reduce(u32: number): number {
  return u32 >= P ? u32 - P : u32;
}

export function add(a: number, b: number): number {
  const sum = a + b;
  return sum >= P ? sum - P : sum;
}

export function sub(a: number, b: number): number {
  return a >= b ? a - b : a - b + P;
}

/**
 * a·b mod p in doubles, exact: the low 32 bits of the product come from `Math.imul`, the high ones from the
 * rounded double, whose error (below 2^11) vanishes when divided by 2^32. With 2^32 ≡ 2^20 - 1 the product is then
 * congruent to hi·(2^20 - 1) + lo < 2^53.
 */
export function mul(a: number, b: number): number {
  const lo = Math.imul(a, b) >>> 0;
  const hi = Math.round((a * b - lo) / TWO_32);
  const folded = hi * TWO_32_MOD_P + lo;
  const rest = folded - Math.floor(folded * P_INVERSE) * P;
  // The quotient may be off by one in either direction, as P_INVERSE is rounded.
  return rest < 0 ? rest + P : rest >= P ? rest - P : rest;
}

/** base^exponent; the exponent is an integer in [0, 2^53). */
export function pow(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2), square = mul(square, square)) {
    if (rest % 2 === 1) result = mul(result, square);
  }
  return result;
}

/** 1/a by Fermat. @throws RangeError for 0 */
export function inverse(a: number): number {
  if (a === 0) throw new RangeError('0 has no inverse');
  return pow(a, P - 2);
}
