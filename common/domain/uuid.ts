const CANONICAL = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LENIENT =
  /^(?:urn:uuid:)?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$|^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i;

/**
 * The canonical text of a UUID: 36 characters, lower-case, hyphenated (RFC 9562 §4).
 * @param text hyphenated, 32 hexadecimal digits, or `urn:uuid:…`, in any case, as the reference reads them
 * @returns `undefined` if it is none of these
 */
export function parseUuid(text: string): string | undefined {
  if (CANONICAL.test(text)) return text;
  const groups = LENIENT.exec(text)
    ?.slice(1)
    .filter((group) => group !== undefined);
  return groups?.join('-').toLowerCase();
}

/** Bytes of a UUID, in network order. */
export const UUID_BYTES = 16;

/** The 16 bytes of a canonical UUID, in network order. */
export function uuidBytes(canonical: string): Uint8Array {
  return Buffer.from(canonical.replaceAll('-', ''), 'hex');
}

/** The canonical text of 16 bytes in network order. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The canonical text of a version 4 UUID made of 16 random bytes (RFC 9562 §5.4). */
export function formatUuidV4(random: Uint8Array): string {
  const bytes = Buffer.from(random.subarray(0, 16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}
