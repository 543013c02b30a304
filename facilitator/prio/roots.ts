import { mul, pow, P } from './field.ts';

/** The largest order of a root of unity: p - 1 = 2^20 · 4095. */
export const MAX_ORDER = 2 ** 20;

/** Generates the subgroup of order 2^20. */
const GENERATOR = 3925978153;

/** The principal n-th root of unity w_n. @param order a power of two, at most 2^20 */
export function principalRoot(order: number): number {
  if (!Number.isInteger(Math.log2(order)) || order > MAX_ORDER) {
    throw new RangeError(`no root of unity of order ${order} modulo ${P}: the order is a power of two up to 2^20`);
  }
  return pow(GENERATOR, MAX_ORDER / order);
}

/** w_n^0, w_n^1, …, w_n^(n-1). */
export function powersOfRoot(order: number): Uint32Array {
  const root = principalRoot(order);
  const powers = new Uint32Array(order);
  let power = 1;
  for (let i = 0; i < order; i++) {
    powers[i] = power;
    power = mul(power, root);
  }
  return powers;
}
