import { createCipheriv, createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { P } from '../../../facilitator/prio/field.ts';
import { expandSeed } from '../../../facilitator/prio/seed.ts';

const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
const zeros = new Uint8Array(32);
const ones = new Uint8Array(32).fill(0xff);

describe('seed expansion', () => {
  // Vectors of libprio-rs v0.12.2, src/prng.rs.
  it.each([
    [
      'all 0xff, where a 128-bit counter would carry',
      ones,
      [
        2082586556, 818905266, 1383092658, 2042182169, 655197203, 1979674292, 1501731737, 2861008441, 4175090445,
        249021781, 2787581452, 4032907784,
      ],
    ],
    [
      '00 01 … 1f',
      counting,
      [
        1961885191, 1845745121, 300813968, 2475857038, 80069266, 42077400, 1652390214, 148830603, 1731731914,
        2885215541, 747279973, 2050872737,
      ],
    ],
  ])('begins as the reference’s for %s', (_, seed, expected) => {
    expect([...expandSeed(seed, 12)]).toEqual(expected);
  });

  it.each([
    ['00 01 … 1f', counting, 'RtzeQuuiWdD6bW2ZTobRELDmClz1wLy3HUiKsYsITOI='],
    ['all zero', zeros, '3wHQbSwAn9GPfoNkKe1qSzWdKnu/R+hPPyRwwz6Di+w='],
    ['all 0xff', ones, 'iBiDaqLrv7/rX/+vs6akPiprGgYfULdh/XhoD61HQXA='],
  ])('has the reference’s first 100,000 elements for %s', (_, seed, digest) => {
    const bytes = new DataView(new ArrayBuffer(400_000));
    for (const [i, element] of expandSeed(seed, 100_000).entries()) bytes.setUint32(4 * i, element, true);
    expect(createHash('sha256').update(bytes).digest('base64')).toBe(digest);
  });

  it('equals a counter of 64 bits that is stepped block by block, near the wrap too', () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
    const nearWrap = fc.integer({ min: 1, max: 40 }).map((n) => be64(2n ** 64n - BigInt(n)));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        bytes,
        fc.oneof(bytes, nearWrap),
        fc.integer({ min: 0, max: 400 }),
        (key, upper, lower, length) => {
          const seed = Buffer.concat([key, upper, lower]);
          expect([...expandSeed(seed, length)]).toEqual(stepByStep(seed, length));
        },
      ),
      { numRuns: 300 },
    );
  });
});

const be64 = (n: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, n));
  return bytes;
};

function stepByStep(seed: Buffer, length: number): number[] {
  const elements: number[] = [];
  for (let counter = seed.readBigUInt64BE(24); elements.length < length; counter++) {
    const block = Buffer.concat([seed.subarray(16, 24), be64(counter)]);
    const cipher = createCipheriv('aes-128-ecb', seed.subarray(0, 16), null).setAutoPadding(false);
    const stream = cipher.update(block);
    for (let at = 0; at < 16 && elements.length < length; at += 4) {
      const word = stream.readUInt32LE(at);
      if (word < P) elements.push(word);
    }
  }
  return elements;
}
