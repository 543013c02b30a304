import type { ValidationBlock } from '../../../facilitator/codec/record-block.ts';
import type { OpenedBlock } from '../../../facilitator/join/own-block.ts';

/** `f_r`, `g_r`, `h_r`. */
export type Message = readonly [number, number, number];

/** A packet at one server, as small as it can be. */
export interface Packet {
  readonly uuid: number;
  /** `undefined` where nothing may be said about it. */
  readonly message: Message | undefined;
}

/** A validation packet. */
export interface Told {
  readonly uuid: number;
  /** `undefined` if it is out of range. */
  readonly message: Message | undefined;
}

/** A UUID that differs from others in its last bytes. */
export function uuidOf(n: number): Uint8Array {
  const bytes = Buffer.from('0d1f9d3c4e5a4b6c8d7e000000000000', 'hex');
  bytes.writeUInt32BE(n, 12);
  return bytes;
}

/** The numbers of UUIDs in rows. */
export function numbersOf(uuids: Uint8Array): number[] {
  const bytes = Buffer.from(uuids);
  return Array.from({ length: bytes.length / 16 }, (_, row) => bytes.readUInt32BE(16 * row + 12));
}

/** Cuts a list into pieces of the sizes given, again and again; an odd lot at the end. */
export function cut<T>(list: readonly T[], sizes: readonly number[]): T[][] {
  const pieces: T[][] = [];
  for (let at = 0, i = 0; at < list.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(list.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const rows = (packets: readonly Packet[]): { uuids: Uint8Array; messages: Uint32Array; marks: Uint8Array } => ({
  uuids: Buffer.concat(packets.map(({ uuid }) => uuidOf(uuid))),
  messages: Uint32Array.from(packets.flatMap(({ message }) => message ?? [0, 0, 0])),
  marks: Uint8Array.from(packets, ({ message }) => (message ? 1 : 0)),
});

export function openedBlock(packets: readonly Packet[]): OpenedBlock {
  const { uuids, messages, marks } = rows(packets);
  return { count: packets.length, uuids, messages, told: marks };
}

export function validationBlock(told: readonly Told[]): ValidationBlock {
  const { uuids, messages, marks } = rows(told);
  return { count: told.length, uuids, messages, inRange: marks };
}

/** A stream of blocks that knows whether it was read to its end. */
export class BlockStream<T> implements AsyncIterable<T> {
  readonly #blocks: readonly T[];
  isAtEnd = false;
  isClosed = false;

  constructor(blocks: readonly T[]) {
    this.#blocks = blocks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (const block of this.#blocks) yield block;
      this.isAtEnd = true;
    } finally {
      this.isClosed = true;
    }
  }
}

export function validationStream(told: readonly Told[], sizes: readonly number[]): BlockStream<ValidationBlock> {
  return new BlockStream(cut(told, sizes).map(validationBlock));
}
