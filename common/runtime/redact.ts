import { describeError } from '../errors.ts';

const KEY_MATERIAL =
  /(?:^|_)(?:private_?keys?|decryption_?keys?|access_?key|secrets?|tokens?|passwords?|passphrase|authorization)(?:_|$)/;

/** Endings that make such a name harmless: `private_key_identifier`, `secret_name`, `key_file`. */
const HARMLESS = /_(?:identifier|id|name|file|path|kind|count)s?$/;

/** Deeper nesting than this is no log field of ours. */
const MAX_DEPTH = 6;

const snakeCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();

/** Whether a field of this name may hold key material. */
export function namesKeyMaterial(name: string): boolean {
  const snake = snakeCase(name);
  return KEY_MATERIAL.test(snake) && !HARMLESS.test(snake);
}

/**
 * Log fields without what must not be logged. Nobody is supposed to log key material; this keeps a slip from
 * becoming a leak: fields with telling names become `[redacted]`, bytes their length, and errors their text, as
 * their own fields may be anything.
 */
export function redact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactFields(fields, 0);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]): [string, unknown] =>
    namesKeyMaterial(name) ? [name, '[redacted]'] : [name, redactValue(value, depth + 1)],
  );
  return Object.fromEntries(entries);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return describeError(value);
  if (depth > MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactFields(value, depth);
}
