/** One element of DER (X.690 §8.1, §10.1). */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

export const DER_TAG = {
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  sequence: 0x30,
  context0: 0xa0,
} as const;

/**
 * The elements that `bytes` consist of, one after the other, to the last byte; `undefined` if they do not: a length
 * that is indefinite, not of the shortest form or beyond the end, or a tag of several bytes, which nothing here has.
 */
export function derElements(bytes: Buffer): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let start = 0; start < bytes.length;) {
    const element = elementAt(bytes, start);
    if (!element) return undefined;
    elements.push(element);
    start += element.whole.length;
  }
  return elements;
}

function elementAt(bytes: Buffer, start: number): DerElement | undefined {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) return undefined;
  const contentStart = start + 2 + lengthBytes;
  if (contentStart > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(start + 2, lengthBytes);
  // Beyond 127 only the long form, without leading zeros.
  const isShortest = lengthBytes === 0 || (length >= 0x80 && bytes[start + 2] !== 0);
  const end = contentStart + length;
  if (!isShortest || end > bytes.length) return undefined;
  return { tag, content: bytes.subarray(contentStart, end), whole: bytes.subarray(start, end) };
}
