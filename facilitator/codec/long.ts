import type { Long } from './records.ts';

/** No 64-bit integer needs more: Avro specification, "Primitive Types" (zigzag, seven bits a byte, least first). */
export const MAX_LONG_BYTES = 10;

const BITS_28 = 2 ** 28;
const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** Whether `value` is a 64-bit signed integer. */
export function isLong(value: unknown): value is Long {
  return typeof value === 'bigint' ? value >= MIN && value <= MAX : Number.isSafeInteger(value);
}

/**
 * The zigzag varint of `value`, 1 to 10 bytes, as short as can be.
 * @param value must satisfy `isLong`
 */
export function encodeLong(value: Long): Buffer {
  const out = Buffer.allocUnsafe(MAX_LONG_BYTES);
  if (typeof value === 'bigint') {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    let length = 0;
    for (; rest > 0x7fn; rest >>= 7n) out[length++] = Number(rest & 0x7fn) | 0x80;
    out[length++] = Number(rest);
    return out.subarray(0, length);
  }
  // Twice a safe integer may not be exact, so the sign bit is set apart and the first byte takes but six bits.
  const magnitude = value < 0 ? -value - 1 : value;
  let rest = Math.floor(magnitude / 64);
  let byte = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0);
  let length = 0;
  for (; rest > 0; rest = Math.floor(rest / 128)) {
    out[length++] = byte | 0x80;
    byte = rest % 128;
  }
  out[length++] = byte;
  return out.subarray(0, length);
}

/**
 * The value of the zigzag varint `bytes[start, end)`.
 * @param end just past the byte without continuation bit; `end - start` is 1 to 10 and the value fits in 64 bits
 */
export function decodeLong(bytes: Uint8Array, start: number, end: number): Long {
  // Three parts of 28, 28 and 8 bits: BigInt is an order of magnitude slower.
  const low = bits28(bytes, start, Math.min(start + 4, end));
  const middle = bits28(bytes, start + 4, Math.min(start + 8, end));
  const high = bits28(bytes, start + 8, end);
  // Exact below 2^53; beyond, at least 2^53, hence not safe.
  const half = (low >>> 1) + middle * (BITS_28 / 2) + high * (BITS_28 * (BITS_28 / 2));
  const value = low & 1 ? -half - 1 : half;
  if (Number.isSafeInteger(value)) return value;
  const zigzag = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low);
  return (zigzag >> 1n) ^ -(zigzag & 1n);
}

function bits28(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  // Indices are within the varint, which the caller vouches for.
  for (let i = start, shift = 0; i < end; i++, shift += 7) value |= (bytes[i]! & 0x7f) << shift;
  return value;
}
