import { expect } from 'vitest';
import { readRecords } from '../../../facilitator/codec/read.ts';
import { invalidPacket, type RecordType } from '../../../facilitator/codec/record-types.ts';
import type { AvroLimitExceeded, AvroMalformed, AvroSchemaUnsuitable } from '../../../facilitator/errors.ts';
import { file, join, recordOf, value } from './avro-bytes.ts';

export const UUID = '52bb1827-7fa3-4aad-83c0-337c4e225b9c';
export const SCHEMA = invalidPacket.schemaText;
export const MIB = 1024 * 1024;

export type Errors = typeof AvroMalformed | typeof AvroLimitExceeded | typeof AvroSchemaUnsuitable;

/** Reads invalid packets to the end; fails unless that ends soon, with the error and without taking memory. */
export function refuses(
  bytes: Uint8Array,
  error: Errors,
  { type = invalidPacket, maxMiB = 32 }: { type?: RecordType<unknown>; maxMiB?: number } = {},
): void {
  const before = memory();
  const start = performance.now();
  let count = 0;
  const read = (): void => {
    for (const _ of readRecords(type, bytes)) count++;
  };
  expect(read).toThrow(error);
  expect((memory() - before) / MIB).toBeLessThan(maxMiB);
  // Generous, for machines under load: what this guards against takes minutes, or for ever.
  expect(performance.now() - start).toBeLessThan(2000);
  expect(count).toBeLessThan(2);
}

export function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A file of one record that has, before the UUID, a field of this type, which we do not know. */
export function withExtra(type: unknown, data: Uint8Array): Buffer {
  return file(recordOf({ extra: type, uuid: 'string' }), [{ count: 1, data: join(data, value(UUID)) }]);
}

/** A file of one record, an invalid packet of these bytes. */
export const one = (data: Uint8Array): Buffer => file(SCHEMA, [{ count: 1, data }]);
