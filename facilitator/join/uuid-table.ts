import { UuidList } from './uuid-list.ts';
import { hashUuid } from './uuid-rows.ts';
import { SEGMENT_ROWS } from './segments.ts';

const FIRST_SLOTS = 1024;
const MAX_LOAD = 0.7;

/** Up to here memory is cheaper than time: the slots are quadrupled, so that most UUIDs find their slot only twice. */
const MAX_CHEAP_SLOTS = 2 ** 20;

/**
 * The distinct ones of many UUIDs, each with an ordinal: how many were there before it. Open addressing with linear
 * probing; between 22 and 28 bytes a UUID once there are a million.
 */
export class UuidTable {
  readonly #keys = new UuidList();
  /** Ordinal + 1 of the key in each slot, 0 where there is none; a power of two of them. */
  #slots = new Int32Array(FIRST_SLOTS);

  get size(): number {
    return this.#keys.size;
  }

  /** Bytes that are held. */
  get byteLength(): number {
    return this.#keys.byteLength + this.#slots.byteLength;
  }

  /** @returns the ordinal of that row of `uuids`; what `size` was before, if it is new */
  add(uuids: Uint8Array, row: number): number {
    const slot = this.#slotOf(uuids, row);
    // A slot that is one of the table's.
    const found = this.#slots[slot]! - 1;
    if (found >= 0) return found;
    const ordinal = this.#keys.size;
    this.#keys.push(uuids, row);
    this.#slots[slot] = ordinal + 1;
    if (this.#keys.size > MAX_LOAD * this.#slots.length) this.#grow();
    return ordinal;
  }

  /** @returns the ordinal of that row of `uuids`, -1 if it is not there */
  find(uuids: Uint8Array, row: number): number {
    return this.#slots[this.#slotOf(uuids, row)]! - 1;
  }

  /** A copy. @param ordinal below `size` */
  uuidAt(ordinal: number): Uint8Array {
    return this.#keys.uuidAt(ordinal);
  }

  /** Copies the UUID with that ordinal, below `size`, to a row of `target`. */
  copyTo(ordinal: number, target: Uint8Array, row: number): void {
    this.#keys.copyTo(ordinal, target, row);
  }

  /** All of them in order, as rows of 16 bytes: `SEGMENT_ROWS` at once, and in the end what is left. Not to be changed. */
  rows(): Iterable<Uint8Array> {
    return this.#keys.rows();
  }

  /** How many slots a look-up of that row of `uuids` visits. */
  probesFor(uuids: Uint8Array, row: number): number {
    const mask = this.#slots.length - 1;
    return ((this.#slotOf(uuids, row) - hashUuid(uuids, row)) & mask) + 1;
  }

  /** Where that row of `uuids` is or belongs. */
  #slotOf(uuids: Uint8Array, row: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashUuid(uuids, row) & mask;
    // There always is an empty slot, as the load is below 1.
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      if (this.#keys.isAt(entry - 1, uuids, row)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** More slots. The keys stay where they are. */
  #grow(): void {
    const factor = this.#slots.length < MAX_CHEAP_SLOTS ? 4 : 2;
    const slots = new Int32Array(factor * this.#slots.length);
    const mask = slots.length - 1;
    let entry = 0;
    for (const keys of this.#keys.rows()) {
      for (let row = 0; row < SEGMENT_ROWS && entry < this.#keys.size; row++) {
        let slot = hashUuid(keys, row) & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        slots[slot] = ++entry;
      }
    }
    this.#slots = slots;
  }
}
