import { isUtf8 } from 'node:buffer';
import { AvroLimitExceeded, AvroMalformed } from '../errors.ts';
import { MAX_DEPTH, MAX_TEXT_BYTES, MAX_VALUE_BYTES } from './limits.ts';
import { decodeLong, MAX_LONG_BYTES } from './long.ts';

/**
 * A position in untrusted bytes, from which nothing is read that is not there. All methods throw `AvroMalformed` or
 * `AvroLimitExceeded`, naming the byte.
 */
export class Cursor {
  readonly bytes: Buffer;
  /** Just past the last byte that belongs to it. */
  readonly end: number;
  /** What `pos` counts the bytes of, for messages: `''` for the file, otherwise ` of …`. */
  readonly #place: string;
  /** Where `bytes` begin there. */
  readonly #origin: number;
  pos: number;
  /** What is being decoded, for messages. */
  field: string | undefined;
  #depth = 0;

  constructor(bytes: Buffer, pos = 0, end = bytes.length, { place = '', origin = 0 } = {}) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
    this.#place = place;
    this.#origin = origin;
  }

  /** Whether these are not bytes of the file itself. */
  get inflated(): boolean {
    return this.#place !== '';
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  malformed(what: string, at = this.pos, options?: ErrorOptions): AvroMalformed {
    return new AvroMalformed(this.#located(what, at), options);
  }

  /** The error for bytes that end too soon. */
  protected lacking(what: string, at = this.pos): Error {
    return this.malformed(what, at);
  }

  overLimit(what: string, at = this.pos): AvroLimitExceeded {
    return new AvroLimitExceeded(this.#located(what, at));
  }

  #located(what: string, at: number): string {
    return `${this.field ? `${this.field}: ` : ''}${what} at byte ${this.placeOf(at)}${this.#place}`;
  }

  /** `pos` as messages give it. */
  placeOf(pos: number): number {
    return this.#origin + pos;
  }

  /** @param size not negative, and as large as it likes */
  skip(size: number): void {
    if (size > this.remaining) throw this.lacking(`${size} bytes are stated but ${this.remaining} are left`);
    this.pos += size;
  }

  take(size: number): Buffer {
    const start = this.pos;
    this.skip(size);
    return this.bytes.subarray(start, this.pos);
  }

  /** Whether the bytes end before the integer that begins here does. */
  endsInLong(): boolean {
    const limit = Math.min(this.end, this.pos + MAX_LONG_BYTES);
    for (let i = this.pos; i < limit; i++) if (this.bytes[i]! < 0x80) return false; // i is below the end
    return limit === this.end && limit < this.pos + MAX_LONG_BYTES;
  }

  skipLong(): void {
    const start = this.pos;
    const limit = Math.min(this.end, start + MAX_LONG_BYTES);
    for (let i = start; i < limit; i++) {
      const byte = this.bytes[i]!; // i is below the end
      if (byte >= 0x80) continue;
      // Nine bytes hold 63 bits, so one is left for the tenth.
      if (i === start + MAX_LONG_BYTES - 1 && byte > 1) break;
      this.pos = i + 1;
      return;
    }
    throw this.endsInLong()
      ? this.lacking('the bytes end within an integer')
      : this.malformed('an integer of more than 64 bits');
  }

  /** A `long` as a number: exact up to 2^53, beyond that only good to see that it is too large. */
  long(): number {
    const start = this.pos;
    this.skipLong();
    // Most lengths, counts and branches are of one byte.
    if (this.pos === start + 1) return (this.bytes[start]! >>> 1) ^ -(this.bytes[start]! & 1); // just passed
    return Number(decodeLong(this.bytes, start, this.pos));
  }

  skipInt(): void {
    const start = this.pos;
    const value = this.long();
    if (value !== (value | 0)) throw this.malformed(`an int of more than 32 bits`, start);
  }

  /** An index below `count`. */
  index(count: number, of: string): number {
    const start = this.pos;
    const value = this.long();
    if (value < 0 || value >= count) throw this.malformed(`${of} ${value} where there are ${count}`, start);
    return value;
  }

  /** The length of a `bytes` or `string`, all of whose bytes are there. */
  length(): number {
    const start = this.pos;
    const length = this.long();
    if (length < 0) throw this.malformed(`a negative length (${length})`, start);
    if (length > MAX_VALUE_BYTES)
      throw this.overLimit(`a value of ${length} bytes (at most ${MAX_VALUE_BYTES})`, start);
    if (length > this.remaining) {
      throw this.lacking(`a length of ${length} where ${this.remaining} bytes are left,`, start);
    }
    return length;
  }

  skipValue(): void {
    const length = this.length();
    this.pos += length;
  }

  /**
   * The number of items in the next block of an array or map; 0 after the last one. There are at least as many bytes
   * left as items.
   */
  items(): number {
    const start = this.pos;
    const count = this.long();
    // A negative count announces that the size of the block in bytes follows.
    if (count < 0) {
      const sizeAt = this.pos;
      const size = this.long();
      if (size < 0) throw this.malformed(`a block of items of ${size} bytes`, sizeAt);
      if (size > this.remaining) {
        throw this.lacking(`a block of items of ${size} bytes where ${this.remaining} are left,`, sizeAt);
      }
    }
    if (Math.abs(count) > this.remaining) {
      throw this.lacking(`${Math.abs(count)} items where ${this.remaining} bytes are left,`, start);
    }
    return Math.abs(count);
  }

  /** A short text that becomes a string, such as the key of a metadata entry. */
  text(): string {
    const start = this.pos;
    const length = this.length();
    if (length > MAX_TEXT_BYTES) throw this.overLimit(`a text of ${length} bytes (at most ${MAX_TEXT_BYTES})`, start);
    const utf8 = this.take(length);
    if (!isUtf8(utf8)) throw this.malformed('a string that is not UTF-8', start);
    return utf8.toString('utf8');
  }

  /** Before going into an array, map, union or record; `leave` afterwards. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.malformed(`values nested more than ${MAX_DEPTH} deep`);
  }

  leave(): void {
    this.#depth--;
  }
}
