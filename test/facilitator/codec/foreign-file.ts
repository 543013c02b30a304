import { readSingleRecord } from '../../../facilitator/codec/read.ts';
import type { RecordType } from '../../../facilitator/codec/record-types.ts';
import { file, join, recordOf } from './avro-bytes.ts';

/** A field as a foreign writer has it: its type and the bytes of its value. */
export interface Written {
  readonly type: unknown;
  readonly data: Uint8Array;
}
export type Fields = Readonly<Record<string, Written>>;

function fileOf(fields: Fields): Buffer {
  const schema = recordOf(Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type])));
  return file(schema, [{ count: 1, data: join(...Object.values(fields).map(({ data }) => data)) }]);
}

/** The record that `type` gets from a file with these fields. */
export function readAs<T>(type: RecordType<T>, fields: Fields): T {
  return readSingleRecord(type, fileOf(fields)).record;
}
