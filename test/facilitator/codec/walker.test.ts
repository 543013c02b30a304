import { describe, expect, it } from 'vitest';
import { validationPacket } from '../../../facilitator/codec/record-types.ts';
import { double, join, long, value } from './avro-bytes.ts';
import { readAs, type Fields } from './foreign-file.ts';

const UUID = '52bb1827-7fa3-4aad-83c0-337c4e225b9c';

const VALIDATION: Fields = {
  uuid: { type: 'string', data: value(UUID) },
  f_r: { type: 'long', data: long(1) },
  g_r: { type: 'long', data: long(2) },
  h_r: { type: 'long', data: long(3) },
};

describe('a field that we do not know is dropped, of whatever type', () => {
  const inner = { type: 'record', name: 'Inner', namespace: 'a.b', fields: [{ name: 'x', type: 'string' }] };
  it.each<{ name: string; type: unknown; data: Uint8Array }>([
    { name: 'null', type: 'null', data: join() },
    { name: 'boolean', type: 'boolean', data: Buffer.from([1]) },
    { name: 'int', type: 'int', data: long(-5) },
    { name: 'long', type: 'long', data: long(2n ** 63n - 1n) },
    { name: 'float', type: 'float', data: Buffer.alloc(4) },
    { name: 'double', type: 'double', data: double(1) },
    { name: 'bytes', type: 'bytes', data: value('abc') },
    { name: 'string', type: 'string', data: value('abc') },
    { name: 'fixed', type: { type: 'fixed', name: 'F', size: 3 }, data: Buffer.from('abc') },
    { name: 'empty fixed', type: { type: 'fixed', name: 'F', size: 0 }, data: join() },
    { name: 'enum', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] }, data: long(1) },
    {
      name: 'array',
      type: { type: 'array', items: 'string' },
      data: join(long(2), value('a'), value('b'), long(1), value('c'), long(0)),
    },
    {
      name: 'array with sizes of blocks',
      type: { type: 'array', items: 'double' },
      data: join(long(-2), long(16), double(1), double(2), long(0)),
    },
    {
      name: 'map',
      type: { type: 'map', values: 'int' },
      data: join(long(1), value('k'), long(1), long(-1), long(2), value('l'), long(2), long(0)),
    },
    { name: 'map of nulls', type: { type: 'map', values: 'null' }, data: join(long(1), value('k'), long(0)) },
    { name: 'union', type: ['null', 'string', 'int'], data: join(long(1), value('abc')) },
    { name: 'record', type: inner, data: value('abc') },
    {
      name: 'record of known size',
      type: {
        type: 'record',
        name: 'P',
        fields: [
          { name: 'x', type: 'double' },
          { name: 'y', type: 'boolean' },
        ],
      },
      data: Buffer.alloc(9),
    },
    { name: 'empty record', type: { type: 'record', name: 'P', fields: [] }, data: join() },
    {
      name: 'record of itself',
      type: { type: 'record', name: 'L', namespace: 'n', fields: [{ name: 'next', type: ['null', 'L'] }] },
      data: join(long(1), long(1), long(0)),
    },
    {
      name: 'reference by the name within the namespace',
      type: {
        type: 'record',
        name: 'a.b.Outer',
        fields: [
          { name: 'p', type: inner },
          { name: 'q', type: 'Inner' },
          { name: 'r', type: 'a.b.Inner' },
        ],
      },
      data: join(value('p'), value('q'), value('r')),
    },
    {
      name: 'type within a type',
      type: { type: { type: ['null', { type: 'string' }] } },
      data: join(long(1), value('s')),
    },
  ])('$name', ({ type, data }) => {
    const fields = { before: { type, data }, ...VALIDATION };
    expect(readAs(validationPacket, fields)).toEqual({ uuid: UUID, f_r: 1, g_r: 2, h_r: 3 });
    expect(readAs(validationPacket, { ...VALIDATION, after: { type, data } })).toEqual({
      uuid: UUID,
      f_r: 1,
      g_r: 2,
      h_r: 3,
    });
    const { uuid, ...rest } = VALIDATION;
    const between: Fields = uuid ? { uuid, between: { type, data }, ...rest } : {};
    expect(readAs(validationPacket, between)).toEqual({ uuid: UUID, f_r: 1, g_r: 2, h_r: 3 });
  });
});
