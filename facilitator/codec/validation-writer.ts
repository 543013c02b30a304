import { encodeLong, MAX_LONG_BYTES } from './long.ts';
import { UUID_TEXT_BYTES } from './quick-pass.ts';
import type { MessageBlock } from './record-block.ts';
import { validationPacket } from './record-types.ts';
import { BLOCK_BYTES, encodeContainerHeader } from './write-header.ts';

/** Before the records, for their count and size. */
const HEAD_BYTES = 2 * MAX_LONG_BYTES;

/** Zigzag, an unsigned 32-bit integer has 33 bits: five times seven. */
const MAX_UINT32_BYTES = 5;

const MAX_RECORD_BYTES = UUID_TEXT_BYTES + 3 * MAX_UINT32_BYTES;

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const HYPHEN = 0x2d;

/**
 * A validation packet file, chunk by chunk: together the bytes that `encodeFile` gives for the same packets. Its cost in
 * memory is a chunk of some 16 kB and what `source` holds.
 * @param objectName goes into the sync marker
 * @returns the chunks, none if there are no packets; each belongs to whoever takes it
 */
export function* encodeValidations(source: Iterable<MessageBlock>, objectName: string): Generator<Buffer> {
  const { bytes: header, sync } = encodeContainerHeader(validationPacket, objectName);
  let begun = false;
  let block = new BlockWriter();
  for (const { count, uuids, messages } of source) {
    if (count > 0 && !begun) yield header;
    begun ||= count > 0;
    for (let i = 0; i < count; i++) {
      block.append(uuids, messages, i);
      if (!block.isFull) continue;
      yield block.end(sync);
      block = new BlockWriter();
    }
  }
  if (!block.isEmpty) yield block.end(sync);
}

/** One block; the room before the records is for what is known only at its end. */
class BlockWriter {
  readonly #bytes = Buffer.allocUnsafeSlow(HEAD_BYTES + BLOCK_BYTES + MAX_RECORD_BYTES + 16);
  #end = HEAD_BYTES;
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#end - HEAD_BYTES >= BLOCK_BYTES;
  }

  /** @param index of the packet; a block that is full takes no more */
  append(uuids: Uint8Array, messages: Uint32Array, index: number): void {
    const bytes = this.#bytes;
    let end = writeUuid(bytes, this.#end, uuids, 16 * index);
    // The arrays have that many elements for each packet.
    end = writeUint32(bytes, end, messages[3 * index]!);
    end = writeUint32(bytes, end, messages[3 * index + 1]!);
    this.#end = writeUint32(bytes, end, messages[3 * index + 2]!);
    this.#count++;
  }

  end(sync: Buffer): Buffer {
    const head = Buffer.concat([encodeLong(this.#count), encodeLong(this.#end - HEAD_BYTES)]);
    const start = HEAD_BYTES - head.length;
    head.copy(this.#bytes, start);
    sync.copy(this.#bytes, this.#end);
    return this.#bytes.subarray(start, this.#end + sync.length);
  }
}

/** Canonical text, and its length before. RFC 9562 §4. @returns where it ends */
function writeUuid(target: Buffer, start: number, uuids: Uint8Array, at: number): number {
  let end = start;
  target[end++] = 2 * 36;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) target[end++] = HYPHEN;
    const byte = uuids[at + i]!; // see `append`
    target[end++] = DIGITS[byte >>> 4]!;
    target[end++] = DIGITS[byte & 15]!;
  }
  return end;
}

/** An unsigned 32-bit integer as a zigzag varint, of which the first byte holds six bits. @returns where it ends */
function writeUint32(target: Buffer, start: number, value: number): number {
  let end = start;
  let byte = (value & 0x3f) << 1;
  for (let rest = value >>> 6; rest > 0; rest >>>= 7) {
    target[end++] = byte | 0x80;
    byte = rest & 0x7f;
  }
  target[end++] = byte;
  return end;
}
