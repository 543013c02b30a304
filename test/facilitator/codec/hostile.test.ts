import { describe, expect, it } from 'vitest';
import { readRecords } from '../../../facilitator/codec/read.ts';
import { invalidPacket, sumPart } from '../../../facilitator/codec/record-types.ts';
import { AvroLimitExceeded, AvroMalformed } from '../../../facilitator/errors.ts';
import { block, file, header, join, long, MAGIC, recordOf, SYNC, value } from './avro-bytes.ts';
import { memory, MIB, one, refuses, SCHEMA, UUID, withExtra, type Errors } from './refusal.ts';

describe('hostile lengths and counts', () => {
  it.each<{ what: string; bytes: Uint8Array; error: Errors }>([
    { what: 'a string of more bytes than there are', bytes: one(long(1000)), error: AvroMalformed },
    { what: 'a string of 2^29 bytes', bytes: one(long(2 ** 29)), error: AvroMalformed },
    { what: 'a string of more than 512 MiB', bytes: one(long(2 ** 29 + 1)), error: AvroLimitExceeded },
    { what: 'a string of 2^63 - 1 bytes', bytes: one(long(2n ** 63n - 1n)), error: AvroLimitExceeded },
    { what: 'a string of negative length', bytes: one(long(-1)), error: AvroMalformed },
    { what: 'a string of length -2^63', bytes: one(long(-(2n ** 63n))), error: AvroMalformed },
    { what: 'a length in eleven bytes', bytes: one(Buffer.from(`${'80'.repeat(10)}00`, 'hex')), error: AvroMalformed },
    {
      what: 'a length of more than 64 bits',
      bytes: one(Buffer.from(`${'80'.repeat(9)}02`, 'hex')),
      error: AvroMalformed,
    },
    { what: 'a length without end', bytes: one(Buffer.alloc(64, 0xff)), error: AvroMalformed },
    { what: 'a record cut short', bytes: one(value(UUID).subarray(0, 20)), error: AvroMalformed },
    { what: 'bytes after the records', bytes: one(join(value(UUID), long(0))), error: AvroMalformed },
    { what: 'records after the count', bytes: file(SCHEMA, [{ count: 0, data: value(UUID) }]), error: AvroMalformed },
    {
      what: 'fewer records than counted',
      bytes: file(SCHEMA, [{ count: 2, data: value(UUID) }]),
      error: AvroMalformed,
    },
    {
      what: 'a block of 2^50 records',
      bytes: file(SCHEMA, [{ count: 2 ** 50, data: value(UUID) }]),
      error: AvroMalformed,
    },
    { what: 'a block of -1 records', bytes: file(SCHEMA, [{ count: -1, data: value(UUID) }]), error: AvroMalformed },
    { what: 'a block of 2^50 bytes', bytes: join(file(SCHEMA, []), long(1), long(2 ** 50)), error: AvroMalformed },
    { what: 'a block of -1 bytes', bytes: join(file(SCHEMA, []), long(1), long(-1), SYNC), error: AvroMalformed },
    {
      what: 'a block count in eleven bytes',
      bytes: join(file(SCHEMA, []), Buffer.alloc(11, 0x80)),
      error: AvroMalformed,
    },
    {
      what: 'metadata of 2^40 entries',
      bytes: join(MAGIC, long(2 ** 40), value('a'), value('b')),
      error: AvroMalformed,
    },
    {
      what: 'metadata of -2^63 entries',
      bytes: join(MAGIC, long(-(2n ** 63n)), long(1), value('a')),
      error: AvroMalformed,
    },
    { what: 'metadata of 1025 entries', bytes: join(MAGIC, long(1025), Buffer.alloc(5000)), error: AvroLimitExceeded },
    { what: 'a metadata key of 2^40 bytes', bytes: join(MAGIC, long(1), long(2 ** 40)), error: AvroLimitExceeded },
    { what: 'a metadata value without end', bytes: join(MAGIC, long(1), value('a'), long(100)), error: AvroMalformed },
    {
      what: 'a metadata key that is no UTF-8',
      bytes: join(MAGIC, long(1), value(Buffer.from('ff', 'hex')), value('')),
      error: AvroMalformed,
    },
    { what: 'metadata without end', bytes: join(MAGIC, long(1), value('a'), value('b')), error: AvroMalformed },
    {
      what: 'an array of 2^50 items',
      bytes: withExtra({ type: 'array', items: 'int' }, long(2 ** 50)),
      error: AvroMalformed,
    },
    {
      what: 'an array of 2^50 doubles',
      bytes: withExtra({ type: 'array', items: 'double' }, long(2 ** 50)),
      error: AvroMalformed,
    },
    {
      what: 'an array of -2^63 items',
      bytes: withExtra({ type: 'array', items: 'int' }, join(long(-(2n ** 63n)), long(4))),
      error: AvroMalformed,
    },
    {
      what: 'an array block of 2^50 bytes',
      bytes: withExtra({ type: 'array', items: 'int' }, join(long(-1), long(2 ** 50))),
      error: AvroMalformed,
    },
    {
      what: 'an array block of -1 bytes',
      bytes: withExtra({ type: 'array', items: 'int' }, join(long(-1), long(-1))),
      error: AvroMalformed,
    },
    {
      what: 'a map of 2^50 entries',
      bytes: withExtra({ type: 'map', values: 'int' }, long(2 ** 50)),
      error: AvroMalformed,
    },
    {
      what: 'a map of 2^50 nulls',
      bytes: withExtra({ type: 'map', values: 'null' }, long(2 ** 50)),
      error: AvroMalformed,
    },
    {
      what: 'an array of fixed of 2^53 - 1 bytes',
      bytes: withExtra({ type: 'array', items: { type: 'fixed', name: 'F', size: 2 ** 53 - 1 } }, long(3)),
      error: AvroMalformed,
    },
    {
      what: 'an enum symbol that there is not',
      bytes: withExtra({ type: 'enum', name: 'E', symbols: ['A'] }, long(1)),
      error: AvroMalformed,
    },
    { what: 'a union without branches', bytes: withExtra([], long(0)), error: AvroMalformed },
  ])('refuses $what', ({ bytes, error }) => refuses(bytes, error));

  it('says what is wrong, and where', () => {
    const start = file(SCHEMA, []).length + 2; // count and size of the block take a byte each
    expect(() => [...readRecords(invalidPacket, one(long(1000)))]).toThrow(
      `a length of 1000 where 0 bytes are left, at byte ${start}`,
    );
  });
});

describe('hostile framing', () => {
  const good = one(value(UUID));
  it.each<{ what: string; bytes: Uint8Array; error: Errors }>([
    { what: 'another magic', bytes: join(Buffer.from('Obj\x02'), good.subarray(4)), error: AvroMalformed },
    { what: 'less than a magic', bytes: MAGIC.subarray(0, 3), error: AvroMalformed },
    { what: 'text', bytes: Buffer.from('<?xml version="1.0"?><Error/>'), error: AvroMalformed },
    { what: 'another sync marker', bytes: join(good.subarray(0, -1), Buffer.from([0])), error: AvroMalformed },
    {
      what: 'no schema',
      bytes: join(header({ 'avro.codec': 'null' }), block({ count: 1, data: value(UUID) })),
      error: AvroMalformed,
    },
    { what: 'no metadata', bytes: header({}), error: AvroMalformed },
    {
      what: 'no sync marker in the header',
      bytes: join(MAGIC, long(1), value('avro.schema'), value(SCHEMA), long(0)),
      error: AvroMalformed,
    },
  ])('refuses $what', ({ bytes, error }) => refuses(bytes, error));
});

describe('hostile depth', () => {
  const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
  const tree = { type: 'record', name: 'T', fields: [{ name: 'm', type: { type: 'map', values: 'T' } }] };

  it('refuses a record within itself, a million deep', () => {
    refuses(withExtra(list, Buffer.alloc(1_000_000, 2)), AvroMalformed);
  });

  it('refuses maps within maps, 100000 deep', () => {
    refuses(
      withExtra(tree, Buffer.concat(Array.from({ length: 100_000 }, () => join(long(1), value(''))))),
      AvroMalformed,
    );
  });
});

describe('hostile amounts', () => {
  it('makes nothing of a dropped field of 16 million items', () => {
    const items = 16 * MIB;
    const bytes = withExtra({ type: 'array', items: 'int' }, join(long(items), Buffer.alloc(items), long(0)));
    const before = memory();
    expect([...readRecords(invalidPacket, bytes)]).toEqual([{ uuid: UUID }]);
    expect((memory() - before) / MIB).toBeLessThan(8);
  });

  it('refuses to make an array of more than 2^20 items', () => {
    const fields = sumPart.fields.map(({ name, shape }) => [
      name,
      name === 'sum' ? { type: 'array', items: 'int' } : shape.schema,
    ]);
    const before = sumPart.fields.findIndex(({ name }) => name === 'sum');
    expect(before).toBe(7);
    const items = 2 ** 20 + 1;
    const head = join(long(0), value(''), long(1), Buffer.alloc(8), long(1), long(2), long(1));
    const tail = join(long(0), long(0), value(''), long(0));
    const data = join(head, long(items), Buffer.alloc(items), long(0), tail);
    refuses(
      file(recordOf(Object.fromEntries(fields) as Record<string, unknown>), [{ count: 1, data }]),
      AvroLimitExceeded,
      { type: sumPart },
    );
  });

  it('refuses a text of more than 16 MiB', () => {
    const data = value(Buffer.alloc(16 * MIB + 1, 0x61));
    const bytes = one(data);
    refuses(bytes, AvroLimitExceeded);
  });
});
