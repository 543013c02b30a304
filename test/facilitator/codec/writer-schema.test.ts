import { describe, expect, it } from 'vitest';
import { readRecords } from '../../../facilitator/codec/read.ts';
import { dataSharePacket, invalidPacket } from '../../../facilitator/codec/record-types.ts';
import { AvroLimitExceeded, AvroMalformed, AvroSchemaUnsuitable } from '../../../facilitator/errors.ts';
import { file, header, join, long, recordOf, value } from './avro-bytes.ts';
import { MIB, refuses, SCHEMA, UUID, withExtra, type Errors } from './refusal.ts';

function nest(depth: number, open: string, middle: string, close: string): string {
  return open.repeat(depth) + middle + close.repeat(depth);
}

/** Record types D0 to D40, each of which holds the one before twice, down to 2^40 values of type `leaf`. */
function doubled(leaf: unknown): unknown[] {
  const types: unknown[] = [{ type: 'record', name: 'D0', fields: [{ name: 'a', type: leaf }] }];
  for (let i = 1; i <= 40; i++) {
    const fields = ['a', 'b'].map((name) => ({ name, type: `D${i - 1}` }));
    types.push({ type: 'record', name: `D${i}`, fields });
  }
  return types;
}

function doubledSchema(leaf: unknown): unknown {
  return recordOf({ ...Object.fromEntries(doubled(leaf).map((type, i) => [`f${i}`, type])), uuid: 'string' });
}

/** Record type C0, C1 …, each of which holds the one before, as a branch of a union. */
function linked(i: number): unknown {
  const fields = i === 0 ? [] : [{ name: 'x', type: `C${i - 1}` }];
  return ['null', { type: 'record', name: `C${i}`, fields }];
}

describe('hostile schemas', () => {
  const self = { type: 'record', name: 'S', fields: [{ name: 's', type: 'S' }] };
  it.each<{ what: string; schema: unknown; error: Errors }>([
    { what: 'no JSON', schema: '{"type":', error: AvroSchemaUnsuitable },
    { what: 'nothing', schema: '', error: AvroSchemaUnsuitable },
    { what: 'null', schema: 'null', error: AvroSchemaUnsuitable },
    { what: 'a number', schema: '1', error: AvroSchemaUnsuitable },
    { what: 'no record', schema: '"string"', error: AvroSchemaUnsuitable },
    { what: 'a union of records', schema: [recordOf({ uuid: 'string' })], error: AvroSchemaUnsuitable },
    { what: 'an unknown type', schema: recordOf({ uuid: 'strong' }), error: AvroSchemaUnsuitable },
    {
      what: 'a type by the name of a property that all objects have',
      schema: recordOf({ uuid: 'toString' }),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'a field without type',
      schema: { type: 'record', name: 'R', fields: [{ name: 'uuid' }] },
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'a field without name',
      schema: { type: 'record', name: 'R', fields: [{ type: 'string' }] },
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'a field that is text',
      schema: { type: 'record', name: 'R', fields: ['uuid'] },
      error: AvroSchemaUnsuitable,
    },
    { what: 'no fields', schema: { type: 'record', name: 'R' }, error: AvroSchemaUnsuitable },
    {
      what: 'fields from a prototype',
      schema: '{"type":"record","name":"R","__proto__":{"fields":[]}}',
      error: AvroSchemaUnsuitable,
    },
    { what: 'no name', schema: { type: 'record', fields: [] }, error: AvroSchemaUnsuitable },
    {
      what: 'a field twice',
      schema: {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'uuid', type: 'string' },
          { name: 'uuid', type: 'string' },
        ],
      },
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'a union within a union',
      schema: recordOf({ x: [['null']], uuid: 'string' }),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'an enum without symbols',
      schema: recordOf({ x: { type: 'enum', name: 'E' } }),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'a fixed of negative size',
      schema: recordOf({ x: { type: 'fixed', name: 'F', size: -1 } }),
      error: AvroSchemaUnsuitable,
    },
    { what: 'an array without items', schema: recordOf({ x: { type: 'array' } }), error: AvroSchemaUnsuitable },
    {
      what: 'an array of nulls',
      schema: recordOf({ x: { type: 'array', items: 'null' }, uuid: 'string' }),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'an array of empty records',
      schema: recordOf({
        x: { type: 'array', items: { type: 'record', name: 'E', fields: [{ name: 'n', type: 'null' }] } },
        uuid: 'string',
      }),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'an array of empty fixed',
      schema: recordOf({ x: { type: 'array', items: { type: 'fixed', name: 'F', size: 0 } }, uuid: 'string' }),
      error: AvroSchemaUnsuitable,
    },
    { what: 'arrays 100000 deep', schema: nest(100_000, '[', '"null"', ']'), error: AvroSchemaUnsuitable },
    {
      what: 'maps 20000 deep',
      schema: nest(20_000, '{"type":"map","values":', '"null"', '}'),
      error: AvroSchemaUnsuitable,
    },
    {
      what: 'types 65 deep',
      schema: recordOf({ x: JSON.parse(nest(65, '{"type":', '"null"', '}')) as unknown, uuid: 'string' }),
      error: AvroSchemaUnsuitable,
    },
    { what: 'more than 1 MiB', schema: ' '.repeat(MIB) + SCHEMA, error: AvroLimitExceeded },
    {
      what: 'another of the seven',
      schema: dataSharePacket.schemaText.replace('"uuid",', '"id",'),
      error: AvroSchemaUnsuitable,
    },
  ])('refuses $what', ({ schema, error }) =>
    refuses(file(schema, [{ count: 1, data: value(UUID) }]), error, { maxMiB: 64 }),
  );

  it('refuses maps 100000 deep, which are more than 1 MiB, and a schema that is no UTF-8', () => {
    refuses(file(nest(100_000, '{"type":"map","values":', '"null"', '}'), []), AvroLimitExceeded);
    refuses(header({ 'avro.schema': Buffer.from('ff', 'hex') }), AvroMalformed);
  });

  it('refuses a record that must contain itself, as soon as there is one', () => {
    refuses(withExtra(self, join()), AvroMalformed);
    refuses(withExtra({ type: 'array', items: self }, join(long(30), Buffer.alloc(30), long(0))), AvroMalformed);
    expect([...readRecords(invalidPacket, withExtra({ type: 'array', items: self }, long(0)))]).toEqual([
      { uuid: UUID },
    ]);
  });

  it('skips at once what takes no bytes, or a known number, however many fields that are', () => {
    const [record] = readRecords(invalidPacket, file(doubledSchema('null'), [{ count: 1, data: value(UUID) }]));
    expect(record).toEqual({ uuid: UUID });
    refuses(file(doubledSchema('boolean'), [{ count: 1, data: value(UUID) }]), AvroMalformed);
    refuses(file(doubledSchema('long'), [{ count: 1, data: Buffer.alloc(100_000) }]), AvroMalformed);
  });

  it('takes a chain of 4000 named types, each of which refers to the next, for what it is', () => {
    const fields = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`f${i}`, linked(i)]));
    const schema = recordOf({ ...fields, last: 'C3999', uuid: 'string' });
    const data = join(Buffer.alloc(4000), value(UUID));
    expect([...readRecords(invalidPacket, file(schema, [{ count: 1, data }]))]).toEqual([{ uuid: UUID }]);
  });
});
