import * as fc from 'fast-check';
import { P, pow } from '../../facilitator/prio/field.ts';
import type { ShareLayout } from '../../facilitator/prio/layout.ts';
import { principalRoot } from '../../facilitator/prio/roots.ts';

/** Names of the servers, and whether it is the first. */
export const SERVERS: readonly [string, boolean][] = [
  ['first', true],
  ['second', false],
];

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Decrypted payloads that are shares of the layout. */
export function plainShares(layout: ShareLayout, isFirst: boolean): fc.Arbitrary<Uint8Array> {
  return isFirst ? elements(layout.length) : seeds();
}

/** Elements all over the field, or all near its ends; from a number, as half a million of them must be quick. */
function elements(length: number): fc.Arbitrary<Uint8Array> {
  return fc.tuple(u32, fc.boolean()).map(([start, isNearEnds]) => {
    const bytes = new Uint8Array(4 * length);
    const words = new DataView(bytes.buffer);
    let state = start;
    for (let i = 0; i < length; i++) {
      // A linear congruential generator: Numerical Recipes, "quick and dirty".
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words.setUint32(4 * i, isNearEnds ? (P + (state >>> 29) - 4) % P : state % P, true);
    }
    return bytes;
  });
}

/** Seeds whose 64-bit counter starts anywhere, or wraps soon. */
function seeds(): fc.Arbitrary<Uint8Array> {
  const anywhere = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const nearWrap = fc
    .integer({ min: 1, max: 200 })
    .map((blocks) => Uint8Array.of(...new Uint8Array(7).fill(0xff), 256 - blocks));
  return fc
    .tuple(fc.uint8Array({ minLength: 24, maxLength: 24 }), fc.oneof({ weight: 3, arbitrary: anywhere }, nearWrap))
    .map(([rest, counter]) => Uint8Array.of(...rest, ...counter));
}

/** Evaluation points: any word, few different ones, the ends of the field, roots of unity below and above p. */
export function points({ points: order }: ShareLayout): fc.Arbitrary<number> {
  const root = fc
    .tuple(fc.constantFrom(order, 2 * order, Math.min(4 * order, 2 ** 20)), fc.nat(), fc.boolean())
    .map(([n, exponent, isAboveP]) => {
      const power = pow(principalRoot(n), exponent % n);
      return isAboveP && power + P < 2 ** 32 ? power + P : power;
    });
  return fc.oneof(u32, fc.constantFrom(0, 2, 3, P - 1, P, P + 1, 2 ** 32 - 1), root);
}

/** Decrypted payloads that are no shares of 10 bins: 29 elements. */
export const MALFORMED: readonly { readonly what: string; readonly isFirst: boolean; readonly plain: Uint8Array }[] = [
  { what: 'an empty share of elements', isFirst: true, plain: new Uint8Array(0) },
  { what: 'a share that is an element short', isFirst: true, plain: new Uint8Array(4 * 28) },
  { what: 'a share that is an element long', isFirst: true, plain: new Uint8Array(4 * 30) },
  { what: 'a share that is a byte long', isFirst: true, plain: new Uint8Array(4 * 29 + 1) },
  { what: 'a seed for the first server', isFirst: true, plain: new Uint8Array(32) },
  { what: 'a share whose first element is p', isFirst: true, plain: withElement(0, P) },
  { what: 'a share whose last element is p', isFirst: true, plain: withElement(28, P) },
  { what: 'a share whose first element is 2^32 - 1', isFirst: true, plain: withElement(0, 2 ** 32 - 1) },
  { what: 'a share whose last element is 2^32 - 1', isFirst: true, plain: withElement(28, 2 ** 32 - 1) },
  { what: 'an empty seed', isFirst: false, plain: new Uint8Array(0) },
  { what: 'a seed that is a byte short', isFirst: false, plain: new Uint8Array(31) },
  { what: 'a seed that is a byte long', isFirst: false, plain: new Uint8Array(33) },
  { what: 'elements for the second server', isFirst: false, plain: new Uint8Array(4 * 29) },
];

function withElement(index: number, element: number): Uint8Array {
  const bytes = new Uint8Array(4 * 29).fill(1);
  new DataView(bytes.buffer).setUint32(4 * index, element, true);
  return bytes;
}
