import { ObjectKeyInvalid } from '../errors.ts';

/** The first segment that no key may have: storages keep their own files under it. */
export const RESERVED_SEGMENT = '.dsp';

/** Bytes; the limit of Amazon S3 and Google Cloud Storage. */
export const MAX_KEY_BYTES = 1024;

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const SHOWN_CHARACTERS = 80;

/** Why `key` is no object key, or `undefined` if it is one. */
export function objectKeyFault(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (!PRINTABLE_ASCII.test(key)) return 'it has characters other than printable ASCII';
  // All characters are ASCII from here on, so that characters count as bytes.
  if (key.length > MAX_KEY_BYTES) return `it has ${key.length} bytes, and ${MAX_KEY_BYTES} are allowed`;
  if (key.includes('\\')) return 'it has a backslash';
  if (key.startsWith('/')) return 'it begins with a slash';
  const segments = key.split('/');
  if (segments.includes('')) return 'it has an empty segment';
  if (segments.includes('.') || segments.includes('..')) return "it has a segment '.' or '..'";
  if (segments[0] === RESERVED_SEGMENT) return `the first segment '${RESERVED_SEGMENT}' is reserved`;
  return undefined;
}

/**
 * Checks the form that all storages share: `a/b/c` of printable ASCII without `\`, at most 1024 bytes.
 * @throws ObjectKeyInvalid
 */
export function checkObjectKey(key: string): void {
  const fault = objectKeyFault(key);
  if (fault === undefined) return;
  const shown = key.length > SHOWN_CHARACTERS ? `${key.slice(0, SHOWN_CHARACTERS)}…` : key;
  throw new ObjectKeyInvalid(`${JSON.stringify(shown)} cannot be an object key: ${fault}; keys look like 'a/b/c'`);
}
