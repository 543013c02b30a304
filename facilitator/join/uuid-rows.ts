import { UUID_BYTES } from '../../common/domain/uuid.ts';

/** Whether two rows of UUIDs are the same. Arrays of rows have 16 bytes each, one after the other. */
export function isSameUuid(a: Uint8Array, aRow: number, b: Uint8Array, bRow: number): boolean {
  const aAt = UUID_BYTES * aRow;
  const bAt = UUID_BYTES * bRow;
  for (let i = 0; i < UUID_BYTES; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** A copy of one row. */
export function uuidOfRow(uuids: Uint8Array, row: number): Uint8Array {
  return uuids.slice(UUID_BYTES * row, UUID_BYTES * (row + 1));
}

/**
 * 32 bits, in which each bit depends on all 16 bytes: version and variant are the same in all UUIDs, and some parties
 * count them up. It is the body and the end of MurmurHash3 (32 bits, seed 0) over the four words, little-endian.
 */
export function hashUuid(uuids: Uint8Array, row: number): number {
  const end = UUID_BYTES * (row + 1);
  let hash = 0;
  for (let at = end - UUID_BYTES; at < end; at += 4) {
    // Callers name rows that are there.
    const word = uuids[at]! | (uuids[at + 1]! << 8) | (uuids[at + 2]! << 16) | (uuids[at + 3]! << 24);
    hash ^= Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  hash ^= UUID_BYTES;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Copies a row to a row that is there. Two views of 16 bytes would cost more than this. */
export function copyUuid(from: Uint8Array, fromRow: number, to: Uint8Array, toRow: number): void {
  const source = UUID_BYTES * fromRow;
  const target = UUID_BYTES * toRow;
  for (let i = 0; i < UUID_BYTES; i++) to[target + i] = from[source + i]!; // within the row
}
