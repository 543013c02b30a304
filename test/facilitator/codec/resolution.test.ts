import { describe, expect, it } from 'vitest';
import { readRecords } from '../../../facilitator/codec/read.ts';
import {
  batchSignature,
  dataSharePacket,
  ingestionHeader,
  invalidPacket,
  sumPart,
  validationPacket,
} from '../../../facilitator/codec/record-types.ts';
import { AvroMalformed, AvroSchemaUnsuitable } from '../../../facilitator/errors.ts';
import { double, file, join, long, recordOf, value } from './avro-bytes.ts';
import { readAs, type Fields } from './foreign-file.ts';

const UUID = '52bb1827-7fa3-4aad-83c0-337c4e225b9c';
const JAVA_STRING = { type: 'string', 'avro.java.string': 'String' };

const HEADER: Fields = {
  batch_uuid: { type: 'string', data: value(UUID) },
  name: { type: 'string', data: value('agg') },
  bins: { type: 'int', data: long(4) },
  epsilon: { type: 'double', data: double(0.5) },
  prime: { type: 'long', data: long(97) },
  number_of_servers: { type: 'int', data: long(3) },
  hamming_weight: { type: ['int', 'null'], data: join(long(0), long(7)) },
  batch_start_time: { type: 'long', data: long(1000) },
  batch_end_time: { type: 'long', data: long(2000) },
  packet_file_digest: { type: 'bytes', data: value('d') },
};

const PACKET: Fields = {
  uuid: { type: 'string', data: value(UUID) },
  encrypted_payload: { type: 'bytes', data: value('p') },
  encryption_key_id: { type: ['null', 'string'], data: long(0) },
  r_pit: { type: 'long', data: long(5) },
  version_configuration: { type: ['null', 'string'], data: join(long(1), value('v')) },
  device_nonce: { type: ['null', 'bytes'], data: join(long(1), value('n')) },
};

const SUM: Fields = {
  batch_uuids: { type: { type: 'array', items: 'string' }, data: join(long(1), value(UUID), long(0)) },
  name: { type: 'string', data: value('agg') },
  bins: { type: 'int', data: long(2) },
  epsilon: { type: 'double', data: double(0.5) },
  prime: { type: 'long', data: long(97) },
  number_of_servers: { type: 'int', data: long(2) },
  hamming_weight: { type: ['int', 'null'], data: long(1) },
  sum: { type: { type: 'array', items: 'long' }, data: join(long(2), long(8), long(9), long(0)) },
  aggregation_start_time: { type: 'long', data: long(1000) },
  aggregation_end_time: { type: 'long', data: long(2000) },
  packet_file_digest: { type: 'bytes', data: value('d') },
  total_individual_clients: { type: 'long', data: long(6) },
};

function without(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

const HEADER_RECORD = {
  batch_uuid: UUID,
  name: 'agg',
  bins: 4,
  epsilon: 0.5,
  prime: 97,
  number_of_servers: 3,
  hamming_weight: 7,
  batch_start_time: 1000,
  batch_end_time: 2000,
  packet_file_digest: Buffer.from('d'),
};

/** An array in one block. */
function list(...items: readonly Uint8Array[]): Buffer {
  return join(long(items.length), ...items, long(0));
}

describe('schema resolution', () => {
  it('reads plain strings and longs without logical types', () => {
    expect(readAs(ingestionHeader, HEADER)).toEqual(HEADER_RECORD);
    expect(readAs(sumPart, SUM)).toMatchObject({ batch_uuids: [UUID], sum: [8, 9], aggregation_start_time: 1000 });
  });

  it('goes by the name of the field, not by its position', () => {
    expect(readAs(ingestionHeader, Object.fromEntries(Object.entries(HEADER).toReversed()))).toEqual(HEADER_RECORD);
  });

  it('gives the fields in our order', () => {
    const read = readAs(ingestionHeader, Object.fromEntries(Object.entries(HEADER).toReversed()));
    expect(Object.keys(read)).toEqual(Object.keys(HEADER));
  });

  it.each([
    { name: 'PrioIngestionHeader', namespace: 'org.abetterinternet.prio.v1' },
    { name: 'org.abetterinternet.prio.v1.PrioIngestionHeader' },
    { name: 'PrioValidityHeader', namespace: 'elsewhere' },
    { name: 'X' },
  ])('does not mind the name of the record: $name in $namespace', (names) => {
    const schema = { ...(recordOf({ uuid: 'string' }) as object), ...names };
    const [record] = readRecords(invalidPacket, file(schema, [{ count: 1, data: value(UUID) }]));
    expect(record).toEqual({ uuid: UUID });
  });

  it('takes the default of a field that is missing', () => {
    expect(readAs(ingestionHeader, without(HEADER, 'prime', 'number_of_servers'))).toEqual({
      ...HEADER_RECORD,
      prime: 4_293_918_721,
      number_of_servers: 2,
    });
    const signature = {
      batch_header_signature: { type: 'bytes', data: value('s') },
      key_identifier: { type: 'string', data: value('k') },
    };
    expect(readAs(batchSignature, signature)).toEqual({
      batch_header_signature: Buffer.from('s'),
      key_identifier: 'k',
      batch_header: null,
      packets: null,
    });
  });

  it.each([
    { type: ingestionHeader, fields: HEADER, name: 'hamming_weight' },
    { type: ingestionHeader, fields: HEADER, name: 'batch_uuid' },
    { type: dataSharePacket, fields: PACKET, name: 'encryption_key_id' },
    { type: sumPart, fields: SUM, name: 'prime' },
  ])('refuses a file without $type.name.$name, which has no default', ({ type, fields, name }) => {
    const act = (): unknown => readAs<unknown>(type, without(fields, name));
    expect(act).toThrow(AvroSchemaUnsuitable);
    expect(act).toThrow(name);
  });

  it('reads one field in place of the other only by name: another record of the seven is unsuitable', () => {
    expect(() => readAs(validationPacket, PACKET)).toThrow(AvroSchemaUnsuitable);
    expect(() => readAs(ingestionHeader, SUM)).toThrow(AvroSchemaUnsuitable);
  });

  describe('converts values', () => {
    const float = Buffer.alloc(4);
    float.writeFloatLE(1.5);
    it.each<{ what: string; field: string; type: unknown; data: Uint8Array; want: unknown }>([
      { what: 'int to long', field: 'prime', type: 'int', data: long(-3), want: -3 },
      { what: 'long to int', field: 'bins', type: 'long', data: long(4), want: 4 },
      { what: 'long to int, cut to 32 bits', field: 'bins', type: 'long', data: long(2 ** 32 + 5), want: 5 },
      {
        what: 'long to int, cut to a negative one',
        field: 'bins',
        type: 'long',
        data: long(2 ** 31),
        want: -(2 ** 31),
      },
      { what: 'long beyond 2^53 to int', field: 'bins', type: 'long', data: long(2n ** 62n + 9n), want: 9 },
      { what: 'long of 64 bits', field: 'prime', type: 'long', data: long(2n ** 62n + 1n), want: 2n ** 62n + 1n },
      { what: 'int to double', field: 'epsilon', type: 'int', data: long(3), want: 3 },
      { what: 'long to double', field: 'epsilon', type: 'long', data: long(2n ** 60n), want: 2 ** 60 },
      { what: 'float to double', field: 'epsilon', type: 'float', data: float, want: 1.5 },
      { what: 'Java string to string', field: 'name', type: JAVA_STRING, data: value('x'), want: 'x' },
      { what: 'bytes to string', field: 'name', type: 'bytes', data: value('ü'), want: 'ü' },
      {
        what: 'string to bytes',
        field: 'packet_file_digest',
        type: 'string',
        data: value('ü'),
        want: Buffer.from('ü'),
      },
      { what: 'string to UUID', field: 'batch_uuid', type: 'string', data: value(UUID), want: UUID },
      { what: 'Java string to UUID', field: 'batch_uuid', type: JAVA_STRING, data: value(UUID), want: UUID },
      { what: 'UUID in capitals', field: 'batch_uuid', type: 'string', data: value(UUID.toUpperCase()), want: UUID },
      {
        what: 'UUID without hyphens',
        field: 'batch_uuid',
        type: 'string',
        data: value(UUID.replaceAll('-', '')),
        want: UUID,
      },
      { what: 'UUID as URN', field: 'batch_uuid', type: 'string', data: value(`urn:uuid:${UUID}`), want: UUID },
      { what: 'long to timestamp', field: 'batch_start_time', type: 'long', data: long(9), want: 9 },
      { what: 'int to timestamp', field: 'batch_start_time', type: 'int', data: long(9), want: 9 },
      { what: 'null-first union, null', field: 'hamming_weight', type: ['null', 'int'], data: long(0), want: null },
      {
        what: 'null-first union, int',
        field: 'hamming_weight',
        type: ['null', 'int'],
        data: join(long(1), long(6)),
        want: 6,
      },
      { what: 'int-first union, null', field: 'hamming_weight', type: ['int', 'null'], data: long(1), want: null },
      {
        what: 'int-first union, int',
        field: 'hamming_weight',
        type: ['int', 'null'],
        data: join(long(0), long(6)),
        want: 6,
      },
      {
        what: 'union with other branches',
        field: 'hamming_weight',
        type: ['string', 'int', 'null'],
        data: join(long(1), long(6)),
        want: 6,
      },
      { what: 'union of long', field: 'hamming_weight', type: ['null', 'long'], data: join(long(1), long(6)), want: 6 },
      { what: 'no union to union', field: 'hamming_weight', type: 'int', data: long(6), want: 6 },
      { what: 'null to union', field: 'hamming_weight', type: 'null', data: join(), want: null },
      { what: 'union to no union', field: 'bins', type: ['null', 'int'], data: join(long(1), long(6)), want: 6 },
      {
        what: 'union of strings to UUID',
        field: 'batch_uuid',
        type: ['null', JAVA_STRING],
        data: join(long(1), value(UUID)),
        want: UUID,
      },
    ])('$what', ({ field, type, data, want }) => {
      expect(readAs(ingestionHeader, { ...HEADER, [field]: { type, data } })).toEqual({
        ...HEADER_RECORD,
        [field]: want,
      });
    });

    it.each<{ what: string; field: 'sum' | 'batch_uuids'; items: unknown; data: Uint8Array; want: unknown }>([
      { what: 'array of ints to longs', field: 'sum', items: 'int', data: list(long(1), long(2)), want: [1, 2] },
      { what: 'array of 64 bits', field: 'sum', items: 'long', data: list(long(2n ** 60n)), want: [2n ** 60n] },
      {
        what: 'array in several blocks',
        field: 'sum',
        items: 'long',
        data: join(long(1), long(4), long(-1), long(1), long(5), long(0)),
        want: [4, 5],
      },
      { what: 'empty array', field: 'sum', items: 'long', data: long(0), want: [] },
      { what: 'array of unions', field: 'sum', items: ['null', 'long'], data: list(join(long(1), long(7))), want: [7] },
      {
        what: 'array of Java strings',
        field: 'batch_uuids',
        items: JAVA_STRING,
        data: list(value(UUID.toUpperCase())),
        want: [UUID],
      },
    ])('$what', ({ field, items, data, want }) => {
      expect(readAs(sumPart, { ...SUM, [field]: { type: { type: 'array', items }, data } })[field]).toEqual(want);
    });
  });

  it('reads optional strings and bytes from plain ones, and from unions in the other order', () => {
    const fields = {
      ...PACKET,
      encryption_key_id: { type: JAVA_STRING, data: value('k') },
      version_configuration: { type: [JAVA_STRING, 'null'], data: long(1) },
      device_nonce: { type: ['bytes', 'null'], data: join(long(0), value('n')) },
    };
    expect(readAs(dataSharePacket, fields)).toEqual({
      uuid: UUID,
      encrypted_payload: Buffer.from('p'),
      encryption_key_id: 'k',
      r_pit: 5,
      version_configuration: null,
      device_nonce: Buffer.from('n'),
    });
  });

  it.each<{ what: string; field: string; type: unknown; data: Uint8Array }>([
    { what: 'a UUID that is none', field: 'batch_uuid', type: 'string', data: value('no-uuid') },
    { what: 'a string that is no UTF-8', field: 'name', type: 'string', data: value(Buffer.from('c328', 'hex')) },
    { what: 'bytes that are no UTF-8, as string', field: 'name', type: 'bytes', data: value(Buffer.from('ff', 'hex')) },
    {
      what: 'a string that is no UTF-8, as bytes',
      field: 'packet_file_digest',
      type: 'string',
      data: value(Buffer.from('ff', 'hex')),
    },
    { what: 'a union whose branch does not fit', field: 'bins', type: ['null', 'int'], data: long(0) },
    {
      what: 'an optional whose branch does not fit',
      field: 'hamming_weight',
      type: ['null', 'int', 'string'],
      data: join(long(2), value('x')),
    },
  ])('refuses $what, naming the field', ({ field, type, data }) => {
    const act = (): unknown => readAs(ingestionHeader, { ...HEADER, [field]: { type, data } });
    expect(act).toThrow(AvroMalformed);
    expect(act).toThrow(field);
    expect(act).toThrow(/at byte \d+/);
  });

  it.each<{ what: string; type: unknown; data: Uint8Array }>([
    { what: 'an int of more than 32 bits', type: 'int', data: long(2 ** 31) },
    { what: 'a union branch that there is not', type: ['null', 'int'], data: long(2) },
    { what: 'a negative union branch', type: ['null', 'int'], data: long(-1) },
  ])('refuses $what, whether or not we need the field', ({ type, data }) => {
    expect(() => readAs(ingestionHeader, { ...HEADER, bins: { type, data } })).toThrow(AvroMalformed);
    expect(() => readAs(ingestionHeader, { ...HEADER, extra: { type, data } })).toThrow(AvroMalformed);
  });

  it('keeps a replacement character that was written as such', () => {
    expect(readAs(ingestionHeader, { ...HEADER, name: { type: 'string', data: value('a\uFFFD') } }).name).toBe(
      'a\uFFFD',
    );
  });

  it.each<{ field: string; type: unknown }>([
    { field: 'bins', type: 'string' },
    { field: 'bins', type: 'double' },
    { field: 'bins', type: ['null', 'string'] },
    { field: 'bins', type: [] },
    { field: 'prime', type: 'float' },
    { field: 'name', type: 'int' },
    { field: 'batch_uuid', type: 'bytes' },
    { field: 'batch_uuid', type: { type: 'fixed', name: 'F', size: 16 } },
    { field: 'epsilon', type: 'string' },
    { field: 'hamming_weight', type: 'string' },
    { field: 'packet_file_digest', type: { type: 'array', items: 'int' } },
    { field: 'batch_start_time', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { field: 'batch_start_time', type: 'null' },
  ])('refuses $field as $type', ({ field, type }) => {
    const act = (): unknown => readAs(ingestionHeader, { ...HEADER, [field]: { type, data: join() } });
    expect(act).toThrow(AvroSchemaUnsuitable);
    expect(act).toThrow(field);
  });

  it('sees a logical type beside the type on the field, too', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: Object.entries(HEADER).map(([name, { type }]) =>
        name === 'batch_end_time' ? { name, type, logicalType: 'timestamp-micros' } : { name, type },
      ),
    };
    expect(() => [...readRecords(ingestionHeader, file(schema, []))]).toThrow(AvroSchemaUnsuitable);
  });
});
