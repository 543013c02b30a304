import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, inverse, mul, P, pow, reduce, sub } from '../../../facilitator/prio/field.ts';
import { MAX_ORDER, powersOfRoot, principalRoot } from '../../../facilitator/prio/roots.ts';

const p = BigInt(P);
const edges = fc.constantFrom(0, 1, 2, 65535, 65536, 2 ** 20, 2 ** 31 - 1, 2 ** 31, P - 2, P - 1);
const element = fc.oneof(edges, fc.integer({ min: 0, max: P - 1 }));
const modulo = (n: bigint): number => Number(((n % p) + p) % p);

describe('field arithmetic agrees with integers modulo p', () => {
  it('p is 2^32 - 2^20 + 1', () => {
    expect(P).toBe(2 ** 32 - 2 ** 20 + 1);
  });

  it('for sums, differences and products', () => {
    fc.assert(
      fc.property(element, element, (a, b) => {
        expect(add(a, b)).toBe(modulo(BigInt(a) + BigInt(b)));
        expect(sub(a, b)).toBe(modulo(BigInt(a) - BigInt(b)));
        expect(mul(a, b)).toBe(modulo(BigInt(a) * BigInt(b)));
      }),
      { numRuns: 20_000 },
    );
  });

  it('for powers and inverses', () => {
    fc.assert(
      fc.property(element, fc.integer({ min: 0, max: 2 ** 32 }), (a, n) => {
        expect(pow(a, n)).toBe(powBig(a, n));
        if (a !== 0) expect(mul(a, inverse(a))).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  it('and wraps 32-bit words that are not below p', () => {
    expect([0, P - 1, P, 2 ** 32 - 1].map(reduce)).toEqual([0, P - 1, 0, 2 ** 32 - 1 - P]);
  });

  it('0 has no inverse', () => {
    expect(() => inverse(0)).toThrow(RangeError);
  });
});

function powBig(a: number, n: number): number {
  let result = 1n;
  for (let square = BigInt(a), rest = BigInt(n); rest > 0n; rest >>= 1n, square = (square * square) % p) {
    if (rest & 1n) result = (result * square) % p;
  }
  return Number(result);
}

describe('roots of unity', () => {
  it.each([
    [2, 4293918720],
    [4, 37101870],
    [8, 3598607238],
    [16, 840366823],
    [32, 2310715122],
    [64, 3286614862],
    [128, 2071622990],
    [256, 2195191829],
  ])('of order %i is the reference’s', (order, root) => {
    expect(principalRoot(order)).toBe(root);
    expect(powersOfRoot(order)[1]).toBe(root);
  });

  it.each([1, 2, 32, MAX_ORDER])('of order %i has exactly that order', (order) => {
    const root = principalRoot(order);
    expect(pow(root, order)).toBe(1);
    if (order > 1) expect(pow(root, order / 2)).toBe(P - 1);
  });

  it.each([0, 3, 2 * MAX_ORDER, -2])('of order %i does not exist', (order) => {
    expect(() => principalRoot(order)).toThrow(RangeError);
  });
});
