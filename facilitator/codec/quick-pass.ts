/** The value of each hexadecimal digit, by its code; all others are `NO_DIGIT`. */
const NO_DIGIT = 0x80;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}

const HYPHEN = 0x2d;

/** The length of a canonical UUID, 36, as it is written. */
const UUID_LENGTH_BYTE = 0x48;

/** Of a UUID, with its length. */
export const UUID_TEXT_BYTES = 37;

/** No identifier is longer; what is has limits, which are no concern of a quick pass. */
const MAX_QUICK_TEXT_BYTES = 4096;

/** Where in the text the digits of a UUID's bytes stand (RFC 9562 §4). */
const DIGIT_OFFSETS = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);

/**
 * A pass over records that are written as most writers do. Whatever is out of the ordinary sets `odd`, for good: from
 * then on what it returns means nothing, and the bytes are a matter for `Cursor` and the readers that go with it,
 * which know everything that is allowed and have a word for everything that is not. What a pass that is not odd gives
 * is what they would give.
 */
export class QuickPass {
  readonly bytes: Buffer;
  pos = 0;
  odd = false;
  readonly #end: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#end = bytes.length;
  }

  /** Whether everything has been passed, and nothing was odd. */
  get complete(): boolean {
    return !this.odd && this.pos === this.#end;
  }

  /** A UUID of 36 characters, of which the 16 bytes go into `target` at `at`. */
  uuid(target: Uint8Array, at: number): void {
    const { bytes, pos } = this;
    if (pos + UUID_TEXT_BYTES > this.#end || bytes[pos] !== UUID_LENGTH_BYTE) {
      this.odd = true;
      return;
    }
    const text = pos + 1;
    let seen = 0;
    // All that is read here is within the text, and the tables have an element for each index.
    for (let i = 0; i < 16; i++) {
      const digit = text + DIGIT_OFFSETS[i]!;
      const high = DIGITS[bytes[digit]!]!;
      const low = DIGITS[bytes[digit + 1]!]!;
      seen |= high | low;
      target[at + i] = (high << 4) | low;
    }
    const hyphens =
      (bytes[text + 8]! ^ HYPHEN) |
      (bytes[text + 13]! ^ HYPHEN) |
      (bytes[text + 18]! ^ HYPHEN) |
      (bytes[text + 23]! ^ HYPHEN);
    if (seen & NO_DIGIT || hyphens) this.odd = true;
    this.pos = text + 36;
  }

  /** A `long` of at most five bytes, which hold 34 bits and the sign; longer ones are odd. */
  long(): number {
    const { bytes } = this;
    const limit = Math.min(this.#end, this.pos + 4);
    let low = 0;
    let i = this.pos;
    for (let shift = 0; i < limit; shift += 7) {
      const byte = bytes[i++]!; // below the end
      low |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      this.pos = i;
      return (low >>> 1) ^ -(low & 1);
    }
    const last = i < this.#end ? bytes[i]! : 0x80; // below the end
    if (last >= 0x80) {
      this.odd = true;
      return 0;
    }
    this.pos = i + 1;
    // Four bytes hold 28 bits, one of them the sign.
    const half = (low >>> 1) + last * 2 ** 27;
    return low & 1 ? -half - 1 : half;
  }

  /** The length of a `bytes` or `string`, all of whose bytes are there. */
  length(): number {
    const length = this.long();
    if (length >= 0 && length <= this.#end - this.pos) return length;
    this.odd = true;
    return 0;
  }

  /** Passes a `bytes`. */
  skipBytes(): void {
    const length = this.length();
    this.pos += length;
  }

  /** Passes a `string` of ASCII, such as all identifiers are; others have to be checked for being UTF-8. */
  skipText(): void {
    const { bytes } = this;
    const length = this.length();
    const end = this.pos + length;
    let seen = 0;
    for (let i = this.pos; i < end; i++) seen |= bytes[i]!; // below the end
    if (seen >= 0x80 || length > MAX_QUICK_TEXT_BYTES) this.odd = true;
    this.pos = end;
  }

  /** Whether a value follows in a union of null and one type. */
  isPresent(): boolean {
    const branch = this.pos < this.#end ? this.bytes[this.pos]! : 1; // below the end
    this.pos++;
    // 0 and 1, zigzag.
    if (branch !== 0 && branch !== 2) this.odd = true;
    return branch === 2;
  }
}
