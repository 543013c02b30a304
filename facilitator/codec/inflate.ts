import { crc32, inflateRawSync } from 'node:zlib';
import { snappyUncompressor } from 'hysnappy';
import type { AvroLimitExceeded } from '../errors.ts';
import { Cursor } from './cursor.ts';
import { MAX_INFLATED_BYTES } from './limits.ts';

/** The codecs that a reader has to know. docs/protocol.md, "Container files". */
export type Codec = 'null' | 'deflate' | 'snappy';

const CRC_BYTES = 4;

/** Blocks of honest writers inflate to some 16 kB. */
const SMALL_BLOCK_BYTES = 1024 * 1024;

/** No element of snappy gives more than 64 bytes for 3, save those that give at most 11 for 2. */
const MAX_SNAPPY_RATIO = 64 / 3;

/** Snappy's own bound for what it makes of incompressible data: a sixth more, and 32 bytes. */
const MAX_SNAPPY_BYTES = Math.ceil(MAX_INFLATED_BYTES * (7 / 6)) + 32;

/** What inflates blocks, of one file or of many. It keeps nothing that grows with them. */
export class Inflater {
  readonly #codec: Codec;
  #uncompress: ReturnType<typeof snappyUncompressor> | undefined;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /**
   * A cursor over the records of a block.
   * @throws AvroLimitExceeded above 64 MiB inflated, AvroMalformed if the block is no data of the codec
   */
  open(block: Cursor): Cursor {
    if (this.#codec === 'null') return block;
    const plain = this.#codec === 'deflate' ? inflate(block) : this.#unsnap(block);
    const place = ` of what the block that ends at byte ${block.placeOf(block.end)} inflates to`;
    return new Cursor(plain, 0, plain.length, { place });
  }

  #unsnap(block: Cursor): Buffer {
    const start = block.pos;
    if (block.remaining < CRC_BYTES) throw block.malformed('a snappy block without checksum');
    const data = block.take(block.remaining - CRC_BYTES);
    const length = snappyLength(block, data, start);
    const uncompress = this.#uncompress ?? snappyUncompressor();
    // Its memory grows to what a block takes and never shrinks, so that it is not kept after a large one.
    this.#uncompress = data.length + length > SMALL_BLOCK_BYTES ? undefined : uncompress;
    let plain: Buffer;
    try {
      const { buffer, byteOffset, byteLength } = uncompress(data, length);
      plain = Buffer.from(buffer, byteOffset, byteLength);
    } catch (cause) {
      throw block.malformed('a block that is no snappy data', start, { cause });
    }
    if (crc32(plain) !== block.take(CRC_BYTES).readUInt32BE()) {
      throw block.malformed('a snappy block whose checksum is wrong', start);
    }
    return plain;
  }
}

function inflate(block: Cursor): Buffer {
  const start = block.pos;
  const data = block.take(block.remaining);
  let plain: Buffer | undefined;
  try {
    // zlib's pieces are put together at the end, so that a block would be twice in memory; hence only small ones are
    // done in pieces, and large ones once more in a buffer that holds them all. Pages of it that are not used cost
    // nothing.
    plain = inflateUpTo(SMALL_BLOCK_BYTES, data) ?? inflateUpTo(MAX_INFLATED_BYTES, data, MAX_INFLATED_BYTES + 1);
  } catch (cause) {
    throw block.malformed('a block that is no deflate data', start, { cause });
  }
  if (!plain) throw tooLarge(block, start);
  return plain;
}

/** @returns `undefined` if it would be more than `maxOutputLength` bytes */
function inflateUpTo(maxOutputLength: number, data: Buffer, chunkSize?: number): Buffer | undefined {
  try {
    return inflateRawSync(data, { maxOutputLength, ...(chunkSize && { chunkSize }) });
  } catch (err) {
    if (err instanceof RangeError && 'code' in err && err.code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw err;
  }
}

/** The length that the data state for themselves, believed only if that many bytes can come out of them. */
function snappyLength(block: Cursor, data: Buffer, start: number): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = data[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte >= 0x80) continue;
    if (length > MAX_INFLATED_BYTES || data.length > MAX_SNAPPY_BYTES) throw tooLarge(block, start);
    if (length > data.length * MAX_SNAPPY_RATIO) {
      throw block.malformed(`a snappy block of ${data.length} bytes that states to hold ${length}`, start);
    }
    return length;
  }
  throw block.malformed('a snappy block without length', start);
}

const tooLarge = (block: Cursor, start: number): AvroLimitExceeded =>
  block.overLimit(`a block that inflates to more than ${MAX_INFLATED_BYTES} bytes`, start);
