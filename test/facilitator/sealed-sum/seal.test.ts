import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBinding, type SumBinding } from '../../../facilitator/sealed-sum/binding.ts';
import { openSealedSum, sealSum } from '../../../facilitator/sealed-sum/seal.ts';
import { BINDING, contents, decryptionKey, sha256, SMALL_SUM } from '../../support/sealed-sums.ts';

const [first, second, third] = ['first', 'second', 'third'].map(decryptionKey) as [
  ReturnType<typeof decryptionKey>,
  ReturnType<typeof decryptionKey>,
  ReturnType<typeof decryptionKey>,
];
const sealed = sealSum(SMALL_SUM, BINDING, first);
const MAGIC_BITS = 8 * 7;
const VERSION_BITS = 8 * 8;
const nonceOf = (file: Buffer): string => file.toString('hex', 8, 20);

const otherTime = new Date('2021-01-02T03:05:00Z');
const otherBindings: readonly [string, SumBinding][] = [
  ['aggregation', { ...BINDING, aggregationId: 'kittens-see' }],
  ['batch', { ...BINDING, batch: { ...BINDING.batch, id: '0f0e0d0c-0b0a-4908-8706-050403020101' } }],
  ['time of the batch', { ...BINDING, batch: { ...BINDING.batch, time: otherTime } }],
  ['server', { ...BINDING, server: 0 }],
  ['ingestion packet file', { ...BINDING, ingestionPacketFileDigest: sha256('another') }],
];

describe('a sealed sum', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const opened = openSealedSum(sealSum(content, BINDING, first), BINDING, [first]);
        expect(opened).toEqual({ kind: 'opened', content, keyIndex: 0 });
      }),
      { numRuns: 50 },
    );
  });

  it('is the same to the byte each time', () => {
    expect(sealSum(SMALL_SUM, BINDING, decryptionKey('first'))).toEqual(sealed);
  });

  it.each([
    ['alone', [first], 0],
    ['before others', [first, second, third], 0],
    ['in between', [second, first, third], 1],
    ['after others', [third, second, first], 2],
    ['twice', [second, first, first], 1],
  ])('opens with its key %s', (_, keys, keyIndex) => {
    expect(openSealedSum(sealed, BINDING, keys)).toEqual({ kind: 'opened', content: SMALL_SUM, keyIndex });
  });

  it.each([
    ['other keys', [second, third]],
    ['no key', []],
  ])('does not open with %s', (_, keys) => {
    expect(openSealedSum(sealed, BINDING, keys)).toMatchObject({ kind: 'unopened', reason: 'no_key' });
  });

  it.each(otherBindings)('does not open as that of another %s', (_, binding) => {
    expect(openSealedSum(sealed, binding, [first])).toMatchObject({ kind: 'unopened', reason: 'no_key' });
  });

  it('does not open after any single bit flip', () => {
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const reason = bit < MAGIC_BITS ? 'no_sealed_sum' : bit < VERSION_BITS ? 'other_version' : 'no_key';
      expect(openSealedSum(flipped, BINDING, [first])).toMatchObject({ kind: 'unopened', reason });
    }
  });

  it('does not open when it is cut short anywhere, or has anything behind', () => {
    for (let length = 0; length < sealed.length; length++) {
      const reason = length < 8 + 12 + 16 ? 'no_sealed_sum' : 'no_key';
      const opened = openSealedSum(sealed.subarray(0, length), BINDING, [first]);
      expect(opened).toMatchObject({ kind: 'unopened', reason });
    }
    const longer = Buffer.concat([sealed, Buffer.alloc(1)]);
    expect(openSealedSum(longer, BINDING, [first])).toMatchObject({ kind: 'unopened', reason: 'no_key' });
  });

  it('is told from any other bytes without throwing', () => {
    const begun = fc.uint8Array({ maxLength: 200 }).map((rest) => Buffer.concat([sealed.subarray(0, 8), rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), begun), (bytes) => {
        expect(openSealedSum(bytes, BINDING, [first, second])).toMatchObject({ kind: 'unopened' });
      }),
      { numRuns: 200 },
    );
  });

  it('is not made for a digest that is none', () => {
    const binding = { ...BINDING, ingestionPacketFileDigest: new Uint8Array(20) };
    expect(() => sealSum(SMALL_SUM, binding, first)).toThrow(RangeError);
  });

  it('may be of an aggregation with the longest name that objects can have', () => {
    const binding = { ...BINDING, aggregationId: 'a'.repeat(1000) };
    expect(openSealedSum(sealSum(SMALL_SUM, binding, first), binding, [first]).kind).toBe('opened');
  });
});

describe('nonces', () => {
  it('are others for another content', () => {
    fc.assert(
      fc.property(contents, contents, (one, other) => {
        const files = [one, other].map((content) => sealSum(content, BINDING, first)) as [Buffer, Buffer];
        expect(nonceOf(files[0]) === nonceOf(files[1])).toBe(files[0].equals(files[1]));
      }),
      { numRuns: 50 },
    );
  });

  it.each(otherBindings)('and keys are others for the same content and another %s', (_, binding) => {
    const other = sealSum(SMALL_SUM, binding, first);
    expect(nonceOf(other)).not.toBe(nonceOf(sealed));
    expect(other.subarray(20)).not.toEqual(sealed.subarray(20));
  });

  it('and keys are others under another decryption key', () => {
    const other = sealSum(SMALL_SUM, BINDING, second);
    expect(nonceOf(other)).not.toBe(nonceOf(sealed));
  });
});

describe('bindings', () => {
  const id = fc.uuid().map((uuid) => uuid.toLowerCase());
  const bindings = fc.record<SumBinding>({
    aggregationId: fc.string({ minLength: 1, maxLength: 40 }),
    batch: fc.record({ id, time: fc.integer({ min: 0, max: 1e8 }).map((minute) => new Date(60_000 * minute)) }),
    server: fc.constantFrom<0 | 1>(0, 1),
    ingestionPacketFileDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  });

  it('have the same bytes only if they are the same', () => {
    fc.assert(
      fc.property(bindings, bindings, fc.constantFrom(...Object.keys(BINDING)), (one, other, field) => {
        const mixed = { ...one, [field]: other[field as keyof SumBinding] };
        const isSame = JSON.stringify(mixed) === JSON.stringify(one);
        expect(encodeBinding(mixed).equals(encodeBinding(one))).toBe(isSame);
      }),
      { numRuns: 200 },
    );
  });
});
