import { UUID_BYTES } from '../../common/domain/uuid.ts';
import type { MessageBlock } from '../codec/record-block.ts';
import type { VerificationMessage } from '../prio/verification.ts';
import { rowInSegment, SEGMENT_ROWS, segmentOf } from './segments.ts';
import { UuidTable } from './uuid-table.ts';

/** Packets by row, with a message and a mark each. */
export interface MarkedMessages {
  /** 16 bytes each. */
  readonly uuids: Uint8Array;
  /** `f_r`, `g_r`, `h_r` of each in turn, unsigned 32-bit integers. */
  readonly messages: Uint32Array;
  /** A byte each, 0 or 1: whether the message may be used. */
  readonly marks: Uint8Array;
}

/** A message to be overwritten, so that a loop over many makes no objects. */
export type ReusedMessage = { -readonly [K in keyof VerificationMessage]: number };

/** The first message about each UUID. Between 35 and 41 bytes a UUID once there are a million. */
export class MessageTable {
  readonly #uuids = new UuidTable();
  readonly #messages: Uint32Array[] = [];
  readonly #marks: Uint8Array[] = [];

  get size(): number {
    return this.#uuids.size;
  }

  /** Bytes that are held. */
  get byteLength(): number {
    return this.#uuids.byteLength + this.#marks.length * SEGMENT_ROWS * 13;
  }

  /** @returns the ordinal of the row's UUID; what `size` was before, if it is new, and only then the rest is kept */
  add({ uuids, messages, marks }: MarkedMessages, row: number): number {
    const { size } = this;
    const ordinal = this.#uuids.add(uuids, row);
    if (ordinal === size) this.#keep(ordinal, messages, marks, row);
    return ordinal;
  }

  /** @returns the ordinal of that row of `uuids`, -1 if it is not there */
  find(uuids: Uint8Array, row: number): number {
    return this.#uuids.find(uuids, row);
  }

  /** A copy. @param ordinal below `size` */
  uuidAt(ordinal: number): Uint8Array {
    return this.#uuids.uuidAt(ordinal);
  }

  /** @param ordinal below `size` */
  isMarked(ordinal: number): boolean {
    return this.#marks[segmentOf(ordinal)]![rowInSegment(ordinal)] === 1;
  }

  /** @param ordinal below `size` */
  isMessage(ordinal: number, messages: Uint32Array, row: number): boolean {
    const kept = this.#messages[segmentOf(ordinal)]!;
    const at = 3 * rowInSegment(ordinal);
    return (
      kept[at] === messages[3 * row] && kept[at + 1] === messages[3 * row + 1] && kept[at + 2] === messages[3 * row + 2]
    );
  }

  /** The message of `ordinal`, below `size`, into an object that is there. */
  read(ordinal: number, message: ReusedMessage): void {
    readMessage(this.#messages[segmentOf(ordinal)]!, rowInSegment(ordinal), message);
  }

  /** Copies the UUID of `ordinal`, below `size`, to a row of `target`. */
  copyUuidTo(ordinal: number, target: Uint8Array, row: number): void {
    this.#uuids.copyTo(ordinal, target, row);
  }

  /** Copies UUID and message of `ordinal`, below `size`, to a row of the targets. */
  copyTo(ordinal: number, uuids: Uint8Array, messages: Uint32Array, row: number): void {
    this.#uuids.copyTo(ordinal, uuids, row);
    const kept = this.#messages[segmentOf(ordinal)]!;
    const at = 3 * rowInSegment(ordinal);
    for (let i = 0; i < 3; i++) messages[3 * row + i] = kept[at + i]!;
  }

  /** All UUIDs and messages, marked or not, by ordinal. Not to be changed. */
  *blocks(): Iterable<MessageBlock> {
    let segment = 0;
    for (const uuids of this.#uuids.rows()) {
      const count = uuids.length / UUID_BYTES;
      // There is a segment for each.
      yield { count, uuids, messages: this.#messages[segment++]!.subarray(0, 3 * count) };
    }
  }

  #keep(ordinal: number, messages: Uint32Array, marks: Uint8Array, row: number): void {
    const to = rowInSegment(ordinal);
    if (to === 0) {
      this.#messages.push(new Uint32Array(3 * SEGMENT_ROWS));
      this.#marks.push(new Uint8Array(SEGMENT_ROWS));
    }
    // Just made, or made for the first row of the segment; the row given is one of its block.
    const kept = this.#messages[segmentOf(ordinal)]!;
    for (let i = 0; i < 3; i++) kept[3 * to + i] = messages[3 * row + i]!;
    this.#marks[segmentOf(ordinal)]![to] = marks[row]!;
  }
}

/** The message in a row that is there, into an object that is there. */
export function readMessage(messages: Uint32Array, row: number, message: ReusedMessage): void {
  message.f_r = messages[3 * row]!;
  message.g_r = messages[3 * row + 1]!;
  message.h_r = messages[3 * row + 2]!;
}
