import type { BlockFormat } from '../codec/record-block.ts';
import type { PacketChunk } from './packet-chunk.ts';

/** A chunk as it goes to a thread: one piece of memory of its own, which changes hands instead of being copied. */
export interface PackedChunk {
  readonly schema: Uint8Array;
  readonly codec: BlockFormat['codec'];
  /** The bytes of all blocks. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each block: its records, its length in `bytes`, where it began in the file. */
  readonly blocks: readonly (readonly [count: number, length: number, position: number])[];
}

/** @param memoryFor gives memory of at least so many bytes */
export function packChunk({ format, blocks }: PacketChunk, memoryFor: (bytes: number) => ArrayBuffer): PackedChunk {
  const size = blocks.reduce((total, block) => total + block.bytes.length, 0);
  const bytes = new Uint8Array(memoryFor(size), 0, size);
  let at = 0;
  for (const block of blocks) {
    bytes.set(block.bytes, at);
    at += block.bytes.length;
  }
  return {
    // To clone a view is to clone all the memory that it is a view of.
    schema: format.schema.slice(),
    codec: format.codec,
    bytes,
    blocks: blocks.map(({ count, bytes: { length }, position }) => [count, length, position]),
  };
}

export function unpackChunk({ schema, codec, bytes, blocks }: PackedChunk): PacketChunk {
  let at = 0;
  return {
    format: { schema, codec },
    blocks: blocks.map(([count, length, position]) => {
      at += length;
      return { count, position, bytes: bytes.subarray(at - length, at) };
    }),
  };
}
