import { UUID_BYTES } from '../../common/domain/uuid.ts';
import { rowInSegment, SEGMENT_ROWS, segmentOf } from './segments.ts';
import { copyUuid, isSameUuid, uuidOfRow } from './uuid-rows.ts';

/** Many UUIDs in order: 16 bytes each, in segments, so that growing copies nothing. */
export class UuidList {
  readonly #segments: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes that are held. */
  get byteLength(): number {
    return this.#segments.length * SEGMENT_ROWS * UUID_BYTES;
  }

  push(uuids: Uint8Array, row: number): void {
    const index = this.#size++;
    if (rowInSegment(index) === 0) this.#segments.push(new Uint8Array(SEGMENT_ROWS * UUID_BYTES));
    copyUuid(uuids, row, this.#segmentOf(index), rowInSegment(index));
  }

  /** A copy. @param index below `size` */
  uuidAt(index: number): Uint8Array {
    return uuidOfRow(this.#segmentOf(index), rowInSegment(index));
  }

  /** Whether the UUID at `index`, below `size`, is that row of `uuids`. */
  isAt(index: number, uuids: Uint8Array, row: number): boolean {
    return isSameUuid(this.#segmentOf(index), rowInSegment(index), uuids, row);
  }

  /** Copies the UUID at `index`, below `size`, to a row of `target`. */
  copyTo(index: number, target: Uint8Array, row: number): void {
    copyUuid(this.#segmentOf(index), rowInSegment(index), target, row);
  }

  /** All of them in order, as rows of 16 bytes: many at once, not to be changed. */
  *rows(): Iterable<Uint8Array> {
    for (let first = 0; first < this.#size; first += SEGMENT_ROWS) {
      const count = Math.min(SEGMENT_ROWS, this.#size - first);
      yield this.#segmentOf(first).subarray(0, UUID_BYTES * count);
    }
  }

  /** The segment of a UUID that is there. */
  #segmentOf(index: number): Uint8Array {
    return this.#segments[segmentOf(index)]!;
  }
}
