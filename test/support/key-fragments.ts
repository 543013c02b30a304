/*
 * Whether a key, or a piece of one, shows in a text. Nine bytes of it are enough to count: no message of ours has as
 * many by chance.
 */

/** DER of a P-256 PKCS#8 key up to the scalar, in base64: the same in every key, and our example of one. */
const PKCS8_PREFIX = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg';
const BASE64_CHARACTERS = 12;
const HEX_CHARACTERS = 18;

/**
 * The pieces of `keys` that are in `text`, as they are given or in hexadecimal.
 * @param keys base64, or what was given in its place
 */
export function keyFragmentsIn(text: string, keys: readonly string[]): string[] {
  const lowerCase = text.toLowerCase();
  return keys.flatMap((key) => {
    const own = key.startsWith(PKCS8_PREFIX) ? key.slice(PKCS8_PREFIX.length) : key;
    const hex = Buffer.from(own, 'base64').toString('hex');
    return [
      ...windows(own, BASE64_CHARACTERS).filter((piece) => text.includes(piece)),
      ...windows(hex, HEX_CHARACTERS).filter((piece) => lowerCase.includes(piece)),
    ];
  });
}

function windows(text: string, length: number): string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, i) => text.slice(i, i + length));
}
