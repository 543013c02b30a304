import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLong, encodeLong, isLong } from '../../../facilitator/codec/long.ts';
import { long } from './arbitraries.ts';
import * as avro from './avro-bytes.ts';

const CASES: readonly { readonly value: number | bigint; readonly hex: string }[] = [
  // Avro specification, "Binary Encoding": zigzag, low seven bits first.
  { value: 0, hex: '00' },
  { value: -1, hex: '01' },
  { value: 1, hex: '02' },
  { value: -64, hex: '7f' },
  { value: 64, hex: '8001' },
  { value: -65, hex: '8101' },
  { value: 8192, hex: '808001' },
  { value: 2 ** 31, hex: '8080808010' },
  { value: Number.MAX_SAFE_INTEGER, hex: 'feffffffffffff1f' },
  { value: Number.MIN_SAFE_INTEGER, hex: 'fdffffffffffff1f' },
  { value: 2n ** 53n, hex: '8080808080808020' },
  { value: -(2n ** 53n), hex: 'ffffffffffffff1f' },
  { value: 2n ** 63n - 1n, hex: 'feffffffffffffffff01' },
  { value: -(2n ** 63n), hex: 'ffffffffffffffffff01' },
];

describe('a long', () => {
  it.each(CASES)('$value is $hex', ({ value, hex }) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(encodeLong(value).toString('hex')).toBe(hex);
    expect(decodeLong(bytes, 0, bytes.length)).toBe(value);
  });

  it('comes back as it was, in the shortest form, wherever it lies', () => {
    fc.assert(
      fc.property(long, fc.nat({ max: 20 }), (value, offset) => {
        const bytes = encodeLong(value);
        expect(bytes).toEqual(avro.long(value));
        expect(decodeLong(Buffer.concat([Buffer.alloc(offset, 0xff), bytes]), offset, offset + bytes.length)).toBe(
          value,
        );
      }),
    );
  });

  it('may be padded', () => {
    expect(decodeLong(Buffer.from('828000', 'hex'), 0, 3)).toBe(1);
  });

  it.each([
    { value: 2 ** 53, is: false },
    { value: 1.5, is: false },
    { value: '1', is: false },
    { value: 2n ** 63n, is: false },
    { value: -(2n ** 63n) - 1n, is: false },
    { value: -(2n ** 63n), is: true },
    { value: -1, is: true },
  ])('is $value: $is', ({ value, is }) => {
    expect(isLong(value)).toBe(is);
  });
});
