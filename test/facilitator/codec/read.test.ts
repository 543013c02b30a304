import { crc32, deflateRawSync } from 'node:zlib';
import { snappyCompress } from 'hysnappy';
import { describe, expect, it } from 'vitest';
import { readAny, readRecords, readSingleRecord } from '../../../facilitator/codec/read.ts';
import {
  batchSignature,
  invalidPacket,
  recordTypes,
  validationHeader,
  validationPacket,
} from '../../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../../facilitator/codec/write.ts';
import {
  AvroMalformed,
  AvroRecordExtra,
  AvroRecordMissing,
  AvroSchemaUnsuitable,
} from '../../../facilitator/errors.ts';
import { block, file, header, join, long, MAGIC, recordOf, SYNC, value, type Block } from './avro-bytes.ts';

const UUIDS = Array.from({ length: 2000 }, (_, i) => `52bb1827-7fa3-4aad-83c0-${String(i).padStart(12, '0')}`);
const UUID = UUIDS[7] ?? '';
const SCHEMA = invalidPacket.schemaText;

function snappy(plain: Uint8Array): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(plain));
  return join(snappyCompress(plain), checksum);
}

const CODECS = [
  { codec: 'null', compress: (plain: Uint8Array) => plain },
  { codec: 'deflate', compress: (plain: Uint8Array) => deflateRawSync(plain) },
  { codec: 'snappy', compress: snappy },
];

/** All UUIDs in three blocks, one of them of more than 16000 bytes, and an empty one. */
function blocksOf(compress: (plain: Uint8Array) => Uint8Array): Block[] {
  return [UUIDS.slice(0, 1), [], UUIDS.slice(1, 1500), UUIDS.slice(1500)].map((uuids) => ({
    count: uuids.length,
    data: compress(join(...uuids.map((uuid) => value(uuid)))),
  }));
}

const uuidsIn = (bytes: Uint8Array): string[] => [...readRecords(invalidPacket, bytes)].map(({ uuid }) => uuid);

describe('readRecords', () => {
  it.each(CODECS)('reads blocks of any size in codec $codec', ({ codec, compress }) => {
    expect(uuidsIn(file(SCHEMA, blocksOf(compress), codec))).toEqual(UUIDS);
  });

  it.each([undefined, 'zstandard', 'Deflate', ''])('takes the codec %j for null', (codec) => {
    expect(uuidsIn(file(SCHEMA, [{ count: 1, data: value(UUID) }], codec))).toEqual([UUID]);
  });

  it('reads a file of 0 bytes as no records', () => {
    expect([...readRecords(invalidPacket, new Uint8Array())]).toEqual([]);
  });

  it('reads a file without blocks as no records', () => {
    expect(uuidsIn(file(SCHEMA, []))).toEqual([]);
  });

  it('reads from any part of a larger array', () => {
    const bytes = file(SCHEMA, [{ count: 1, data: value(UUID) }]);
    const around = new Uint8Array(join(Buffer.alloc(5), bytes, Buffer.alloc(5)));
    expect(uuidsIn(around.subarray(5, 5 + bytes.length))).toEqual([UUID]);
  });

  it.each([
    { what: 'codec first', metadata: header({ 'avro.codec': 'null', 'avro.schema': SCHEMA }) },
    { what: 'schema first', metadata: header({ 'avro.schema': SCHEMA, 'avro.codec': 'null' }) },
    { what: 'further entries', metadata: header({ a: '', 'avro.schema': SCHEMA, b: Buffer.from('ff', 'hex') }) },
    {
      what: 'several blocks of entries',
      metadata: join(
        MAGIC,
        long(1),
        value('a'),
        value('b'),
        long(1),
        value('avro.schema'),
        value(SCHEMA),
        long(0),
        SYNC,
      ),
    },
    {
      what: 'a negative count and a size',
      metadata: join(MAGIC, long(-1), long(14 + SCHEMA.length), value('avro.schema'), value(SCHEMA), long(0), SYNC),
    },
  ])('reads metadata with $what', ({ metadata }) => {
    expect(uuidsIn(join(metadata, block({ count: 1, data: value(UUID) })))).toEqual([UUID]);
  });

  it('gives the last of two metadata entries of one name', () => {
    const entries = [value('avro.schema'), value('x'), value('avro.schema'), value(SCHEMA)];
    const bytes = join(MAGIC, long(2), ...entries, long(0), SYNC, block({ count: 1, data: value(UUID) }));
    expect(uuidsIn(bytes)).toEqual([UUID]);
  });

  it('reads lazily: what is wrong later does not spoil what comes before', () => {
    const records = readRecords(
      invalidPacket,
      file(SCHEMA, [
        { count: 1, data: value(UUID) },
        { count: 1, data: value('x') },
      ]),
    );
    expect(records.next().value).toEqual({ uuid: UUID });
    expect(() => records.next()).toThrow(AvroMalformed);
  });

  it.each([{ tail: '' }, { tail: '80' }, { tail: 'ffffff' }])(
    'ends cleanly within the count of a block: "$tail"',
    ({ tail }) => {
      const bytes = file(SCHEMA, [{ count: 1, data: value(UUID) }]);
      expect(uuidsIn(join(bytes, Buffer.from(tail, 'hex')))).toEqual([UUID]);
    },
  );

  it('gives long byte values without copying them, short ones as copies', () => {
    const packets = Buffer.alloc(200_000, 1);
    const record = { batch_header_signature: Buffer.alloc(70), key_identifier: 'k', batch_header: null, packets };
    const bytes = new Uint8Array(encodeFile(batchSignature, [record], 'a'));
    const { record: read } = readSingleRecord(batchSignature, bytes);
    expect(read.packets?.buffer).toBe(bytes.buffer);
    expect(read.batch_header_signature.buffer).not.toBe(bytes.buffer);
  });
});

describe('readSingleRecord', () => {
  it('gives the record and the metadata', () => {
    const bytes = encodeFile(invalidPacket, [{ uuid: UUID }], 'a', { key: 'value' });
    const { record, metadata } = readSingleRecord(invalidPacket, bytes);
    expect(record).toEqual({ uuid: UUID });
    expect(metadata.get('key')?.toString()).toBe('value');
  });

  it.each([
    { what: 'no blocks', bytes: file(SCHEMA, []), error: AvroRecordMissing },
    { what: 'an empty block', bytes: file(SCHEMA, [{ count: 0, data: join() }]), error: AvroRecordMissing },
    { what: 'no bytes', bytes: join(), error: AvroMalformed },
    {
      what: 'two records in a block',
      bytes: file(SCHEMA, [{ count: 2, data: join(value(UUID), value(UUID)) }]),
      error: AvroRecordExtra,
    },
    {
      what: 'two blocks',
      bytes: file(SCHEMA, [
        { count: 1, data: value(UUID) },
        { count: 1, data: value(UUID) },
      ]),
      error: AvroRecordExtra,
    },
    {
      what: 'a record and rubbish',
      bytes: join(file(SCHEMA, [{ count: 1, data: value(UUID) }]), Buffer.from('0202')),
      error: AvroMalformed,
    },
  ])('refuses $what', ({ bytes, error }) => {
    expect(() => readSingleRecord(invalidPacket, bytes)).toThrow(error);
  });
});

describe('readAny', () => {
  it.each(recordTypes.map((type) => ({ type, name: type.name })))(
    'knows $name by its name, in any namespace',
    ({ type }) => {
      expect(readAny(file(type.schemaText, [])).type).toBe(type);
      expect(readAny(file(type.schemaText.replace('org.abetterinternet', 'com.example'), [])).type).toBe(type);
    },
  );

  it.each(recordTypes.map((type) => ({ type, name: type.name })))('knows $name by its fields', ({ type, name }) => {
    expect(readAny(file(type.schemaText.replace(name, 'Other'), [])).type).toBe(type);
  });

  it('knows a file by its fields without those that have a default', () => {
    expect(readAny(file(recordOf({ batch_header_signature: 'bytes', key_identifier: 'string' }), [])).type).toBe(
      batchSignature,
    );
    const { prime: _, ...fields } = Object.fromEntries(
      validationHeader.fields.map(({ name, shape }) => [name, shape.schema]),
    );
    expect(readAny(file(recordOf(fields), [])).type).toBe(validationHeader);
  });

  it('gives metadata, codec and records', () => {
    const packet = { uuid: UUID, f_r: 1, g_r: 2, h_r: 3 };
    const { type, metadata, codec, records } = readAny(encodeFile(validationPacket, [packet], 'a', { k: 'v' }));
    expect({ type, codec, records: [...records] }).toEqual({
      type: validationPacket,
      codec: 'null',
      records: [packet],
    });
    expect(metadata.get('k')?.toString()).toBe('v');
    expect(readAny(file(SCHEMA, [], 'snappy')).codec).toBe('snappy');
  });

  it.each([
    {
      what: 'a record of other fields',
      bytes: file(recordOf({ uuid: 'string', more: 'int' }), []),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'our name on other fields',
      bytes: file({ ...(recordOf({}) as object), name: 'PrioSumPart' }, []),
      error: AvroSchemaUnsuitable,
    },
    { what: 'no bytes', bytes: join(), error: AvroMalformed },
  ])('refuses $what', ({ bytes, error }) => {
    expect(() => readAny(bytes)).toThrow(error);
  });
});
