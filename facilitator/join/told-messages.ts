import { UUID_BYTES } from '../../common/domain/uuid.ts';
import type { MessageBlock, ValidationBlock } from '../codec/record-block.ts';
import { MessageTable } from './message-table.ts';
import { NumberList } from './number-list.ts';
import type { LeftOutPackets, OpenedBlock } from './own-block.ts';
import { uuidOfRow } from './uuid-rows.ts';

const BLOCK_ROWS = 4096;

/**
 * What the peer is to be told about the packets of a batch. A UUID that comes again gets its first packet's message
 * again, or none if the first has none. docs/protocol.md, "intake-batch" and "aggregate", "Repeated UUIDs".
 */
export class ToldMessages {
  /** The first packet of each UUID, in order; marked if there is a message about it. */
  readonly #firsts = new MessageTable();
  readonly #repeats = { positions: new NumberList(), ordinals: new NumberList() };
  readonly #leftOut = { positions: new NumberList(), ordinals: new NumberList() };
  #packets = 0;

  /** Packets so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Distinct UUIDs so far. */
  get distinctPackets(): number {
    return this.#firsts.size;
  }

  /** Validation packets to be written so far, those about repeats too. */
  get messages(): number {
    return this.#packets - this.#leftOut.positions.size;
  }

  /** Packets so far without a validation packet, repeats of such a packet among them. */
  get leftOut(): LeftOutPackets {
    const { positions, ordinals } = this.#leftOut;
    const uuids = new Uint8Array(UUID_BYTES * ordinals.size);
    ordinals.toArray().forEach((ordinal, row) => this.#firsts.copyUuidTo(ordinal, uuids, row));
    return { positions: positions.toArray(), uuids };
  }

  /** Positions so far of the packets whose UUID came before, ascending. */
  get repeats(): Uint32Array {
    return this.#repeats.positions.toArray();
  }

  /**
   * Appends packets. Nothing of the block is kept.
   * @returns a byte each: 1 if a packet of the same UUID came before, in this block or another, else 0
   */
  addBlock({ count, uuids, messages, told }: OpenedBlock): Uint8Array {
    const rows = { uuids, messages, marks: told };
    const marks = new Uint8Array(count);
    for (let row = 0; row < count; row++) {
      const { size } = this.#firsts;
      const ordinal = this.#firsts.add(rows, row);
      const position = this.#packets++;
      if (ordinal !== size) {
        marks[row] = 1;
        this.#repeats.positions.push(position);
        this.#repeats.ordinals.push(ordinal);
      }
      if (!this.#firsts.isMarked(ordinal)) {
        this.#leftOut.positions.push(position);
        this.#leftOut.ordinals.push(ordinal);
      }
    }
    return marks;
  }

  /** The validation packets to be written, in packet order; not to be changed. May be asked for several times. */
  blocks(): Iterable<MessageBlock> {
    const isPlain = this.#repeats.positions.size === 0 && this.#leftOut.positions.size === 0;
    return isPlain ? this.#firsts.blocks() : this.#gathered();
  }

  *#gathered(): Iterable<MessageBlock> {
    let uuids = new Uint8Array(UUID_BYTES * BLOCK_ROWS);
    let messages = new Uint32Array(3 * BLOCK_ROWS);
    let count = 0;
    for (const ordinal of this.#toldOrdinals()) {
      this.#firsts.copyTo(ordinal, uuids, messages, count++);
      if (count < BLOCK_ROWS) continue;
      yield { count, uuids, messages };
      uuids = new Uint8Array(UUID_BYTES * BLOCK_ROWS);
      messages = new Uint32Array(3 * BLOCK_ROWS);
      count = 0;
    }
    if (count > 0) {
      yield { count, uuids: uuids.subarray(0, UUID_BYTES * count), messages: messages.subarray(0, 3 * count) };
    }
  }

  /**
   * Compares with what was told, of which the first message about a UUID counts. Reads it to its end.
   * @returns the UUID of a packet about which it says something else than this, `undefined` if there is none
   */
  async firstDifference(told: AsyncIterable<ValidationBlock>): Promise<Uint8Array | undefined> {
    const seen = new Uint8Array(this.#firsts.size);
    let differing: Uint8Array | undefined;
    for await (const block of told) differing ??= this.#differenceIn(block, seen);
    if (differing) return differing;
    for (let ordinal = 0; ordinal < seen.length; ordinal++) {
      if (seen[ordinal] === 0 && this.#firsts.isMarked(ordinal)) return this.#firsts.uuidAt(ordinal);
    }
    return undefined;
  }

  /** @param seen a byte for each ordinal: 1 if it came up in an earlier block; it is kept up to date */
  #differenceIn({ count, uuids, messages, inRange }: ValidationBlock, seen: Uint8Array): Uint8Array | undefined {
    for (let row = 0; row < count; row++) {
      const ordinal = this.#firsts.find(uuids, row);
      if (ordinal >= 0 && seen[ordinal] === 1) continue;
      const isTold = ordinal >= 0 && this.#firsts.isMarked(ordinal) && inRange[row] === 1;
      if (!isTold || !this.#firsts.isMessage(ordinal, messages, row)) return uuidOfRow(uuids, row);
      seen[ordinal] = 1;
    }
    return undefined;
  }

  /** Of each packet with a message, in packet order, the ordinal of its UUID. */
  *#toldOrdinals(): Iterable<number> {
    const { positions, ordinals } = this.#repeats;
    let first = 0;
    let repeat = 0;
    for (let position = 0; position < this.#packets; position++) {
      // A repeat has an ordinal as it has a position.
      const ordinal = positions.at(repeat) === position ? ordinals.at(repeat++)! : first++;
      if (this.#firsts.isMarked(ordinal)) yield ordinal;
    }
  }
}
