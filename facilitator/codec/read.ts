import { AvroMalformed, AvroRecordExtra, AvroRecordMissing, AvroSchemaUnsuitable } from '../errors.ts';
import { Container } from './container.ts';
import type { Codec } from './inflate.ts';
import { recordReader } from './record-reader.ts';
import { recordTypes, type RecordType } from './record-types.ts';
import { parseWriterSchema, type RecordNode } from './writer-schema.ts';

// Whatever the bytes, these functions fail only with the Avro… errors of ../errors.ts. In memory they hold, besides
// the file, one record and one inflated block (while it is inflated, with snappy, twice). Byte values of 64 KiB and
// more may be views of the file, as its metadata are, so it must not be changed while they are in use.

/**
 * The records of an Avro object container file of any writer, resolved by field name.
 * docs/protocol.md, "Container files".
 * @returns reads as the consumer goes on, so that a file may fail after some records; 0 bytes hold no records
 */
export function* readRecords<T>(type: RecordType<T>, file: Uint8Array): Generator<T> {
  if (file.length === 0) return;
  const container = new Container(file);
  yield* container.records(recordReader(type, container.header.schema));
}

/**
 * The only record of a header or signature file, and the metadata of the file.
 * @throws AvroRecordMissing, AvroRecordExtra if there are none or several; AvroMalformed also for 0 bytes
 */
export function readSingleRecord<T>(
  type: RecordType<T>,
  file: Uint8Array,
): { record: T; metadata: ReadonlyMap<string, Buffer> } {
  const container = new Container(file);
  const records = container.records(recordReader(type, container.header.schema));
  const first = records.next();
  if (first.done) throw new AvroRecordMissing(`a file without records where one ${type.name} was expected`);
  if (!records.next().done) throw new AvroRecordExtra(`a file of several records where one ${type.name} was expected`);
  return { record: first.value, metadata: container.header.metadata };
}

/** A file of one of the seven record types, which it says itself. */
export interface AnyFile {
  readonly type: RecordType<unknown>;
  readonly metadata: ReadonlyMap<string, Buffer>;
  readonly codec: Codec;
  readonly records: Generator;
}

/**
 * Finds out of which of the seven types a file is: by the name that its writer gave the record, else by the names of
 * the fields.
 * @throws AvroSchemaUnsuitable if it is of none; AvroMalformed also for 0 bytes, which may be a file of any type
 */
export function readAny(file: Uint8Array): AnyFile {
  if (file.length === 0) throw new AvroMalformed('an empty file: no records, and no telling of which type');
  const container = new Container(file);
  const { schema, metadata, codec } = container.header;
  const written = parseWriterSchema(schema);
  const type =
    recordTypes.find(({ name }) => name === written.name) ?? recordTypes.find((type) => hasFields(type, written));
  if (!type) {
    throw new AvroSchemaUnsuitable(
      `the file holds records ${JSON.stringify(written.name.slice(0, 60))}, which are none of ${recordTypes.map(({ name }) => name).join(', ')}`,
    );
  }
  return { type, metadata, codec, records: container.records(recordReader(type, schema)) };
}

/** Whether the written fields are those of `type`, save such as have a default. */
function hasFields(type: RecordType<unknown>, written: RecordNode): boolean {
  const names = new Set(written.fields.map(({ name }) => name));
  return type.fields.every(({ name, shape }) => names.delete(name) || shape.default !== undefined) && names.size === 0;
}
