import { createCipheriv } from 'node:crypto';
import { P } from './field.ts';

/** Bytes of a seed: an AES-128 key and the initial counter block. */
export const SEED_LENGTH = 32;

const BLOCK = 16;
/** One in 4096 words is not below p; this much more than needed makes a second round rare. */
const SLACK_WORDS = 16;

/**
 * The field elements that a seed stands for: the AES-128-CTR keystream as little-endian 32-bit words, without those
 * that are not below p. Source: docs/protocol.md, "Seed expansion".
 * @param seed 32 bytes: key, then the first counter block
 * @param length how many elements
 */
export function expandSeed(seed: Uint8Array, length: number): Uint32Array {
  const elements = new Uint32Array(length);
  let filled = 0;
  let block = 0;
  while (filled < length) {
    const missing = length - filled;
    const blocks = Math.ceil(((missing + Math.ceil(missing / 2048) + SLACK_WORDS) * 4) / BLOCK);
    const stream = keystream(seed, block, blocks);
    const words = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
    for (let at = 0; at < stream.byteLength && filled < length; at += 4) {
      const word = words.getUint32(at, true);
      if (word < P) elements[filled++] = word;
    }
    block += blocks;
  }
  return elements;
}

/**
 * Keystream blocks `first` to `first + count` of a counter that is 64 bits wide: it wraps within the low half of the
 * block, whereas OpenSSL's carries into the upper half. Hence a second cipher from the wrap on.
 */
function keystream(seed: Uint8Array, first: number, count: number): Buffer {
  const key = seed.subarray(0, 16);
  const counter = Buffer.from(seed.subarray(16, SEED_LENGTH));
  const carry = addToLowHalf(counter, first);
  // Fewer than 2^32 blocks are ever asked for, so a wrap is near only where the high word of the counter is full.
  const untilWrap = counter.readUInt32BE(8) === 0xffff_ffff ? 2 ** 32 - counter.readUInt32BE(12) : Infinity;
  if (carry || count <= untilWrap) return ctr(key, counter, count);
  const wrapped = Buffer.from(counter).fill(0, 8);
  return Buffer.concat([ctr(key, counter, untilWrap), ctr(key, wrapped, count - untilWrap)]);
}

/** Adds to the 64-bit big-endian counter in bytes 8 to 16; returns whether it wrapped. */
function addToLowHalf(counter: Buffer, blocks: number): boolean {
  const low = counter.readUInt32BE(12) + blocks;
  const high = counter.readUInt32BE(8) + Math.floor(low / 2 ** 32);
  counter.writeUInt32BE(low % 2 ** 32, 12);
  counter.writeUInt32BE(high % 2 ** 32, 8);
  return high >= 2 ** 32;
}

function ctr(key: Uint8Array, counter: Uint8Array, blocks: number): Buffer {
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(blocks * BLOCK));
}
