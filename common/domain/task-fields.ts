import { TaskMalformed } from '../errors.ts';
import { parseBatchTime } from './batch-time.ts';
import { parseUuid } from './uuid.ts';

/*
 * The fields of a task's message, checked as they are read. `docs/protocol.md`, "Tasks". Everything here throws
 * `TaskMalformed`; of a long value the message shows the beginning.
 */

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of a message: one JSON object in UTF-8. */
export function fieldsOf(message: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message));
  } catch (cause) {
    throw new TaskMalformed('the message is no JSON in UTF-8', { cause });
  }
  if (!isFields(value)) throw new TaskMalformed('the message is no JSON object');
  return value;
}

export function textField(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new TaskMalformed(`"${key}" is missing or no text`);
  return value;
}

/** It becomes the first segment of object names. */
export function aggregationIdField(fields: Fields): string {
  const id = textField(fields, 'aggregation-id');
  if (id === '' || id === '.' || id === '..' || !/^[\x20-\x7e]+$/.test(id) || /[/\\]/.test(id)) {
    throw new TaskMalformed(`"aggregation-id" ${JSON.stringify(id.slice(0, 80))} cannot be part of an object's name`);
  }
  return id;
}

/** A UUID of any form that `parseUuid` reads, made canonical. */
export function uuidField(fields: Fields, key: string): string {
  const value = textField(fields, key);
  const parsed = parseUuid(value);
  if (parsed === undefined) throw new TaskMalformed(`"${key}" ${JSON.stringify(value.slice(0, 80))} is no UUID`);
  return parsed;
}

/** UTC, to the minute. */
export function timeField(fields: Fields, key: string): Date {
  const value = textField(fields, key);
  const parsed = parseBatchTime(value);
  if (!parsed) {
    throw new TaskMalformed(`"${key}" ${JSON.stringify(value.slice(0, 80))} is no time of the form YYYY/MM/DD/hh/mm`);
  }
  return parsed;
}
