import avro, { type Type } from 'avsc';
import { parseUuid } from '../../common/domain/uuid.ts';
import { decodeLong, encodeLong, isLong } from './long.ts';
import type { RecordType } from './record-types.ts';

/** avsc's own long refuses what is no safe integer; this one gives all 64 bits. */
// eslint-disable-next-line no-underscore-dangle -- the documented hook has this name
const longType = avro.types.LongType.__with(
  {
    fromBuffer: (varint: Buffer) => decodeLong(varint, 0, varint.length),
    toBuffer: encodeLong,
    // For schema defaults, which are safe integers.
    fromJSON: (value: unknown) => value,
    toJSON: (value: unknown) => value,
    isValid: isLong,
    compare: (a: number | bigint, b: number | bigint) => (a < b ? -1 : Number(a > b)),
  },
  true,
);

/** A string that is a UUID: canonical whenever it comes out or goes in. */
class UuidType extends avro.types.LogicalType {
  protected override _fromValue(text: string): string {
    const canonical = parseUuid(text);
    if (canonical === undefined) throw new Error(`${JSON.stringify(text.slice(0, 60))} is no UUID`);
    return canonical;
  }

  protected override _toValue(text: unknown): string | undefined {
    return typeof text === 'string' ? parseUuid(text) : undefined;
  }
}

const options = (): Parameters<typeof avro.Type.forSchema>[1] => ({
  registry: { long: longType },
  logicalTypes: { uuid: UuidType },
  // A value instead of `{ string: value }`. No union of ours has two branches that this could confuse.
  wrapUnions: 'never',
  omitRecordMethods: true,
});

/** avsc's type for writing records; every `long`, also within a timestamp, is exact to 64 bits. */
export function avscRecordType<T>({ schemaText }: RecordType<T>): Type {
  // Our own text, made in record-types.ts.
  const schema = JSON.parse(schemaText, longByReference) as Parameters<typeof avro.Type.forSchema>[0];
  return avro.Type.forSchema(schema, options());
}

/** avsc looks a type up in its registry only where it stands as a bare name, so a long with attributes becomes one. */
function longByReference(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'long' && !('name' in value)
    ? 'long'
    : value;
}

/** What single values are decoded with. */
export const avscTypes = {
  int: avro.Type.forSchema('int'),
  long: longType,
  float: avro.Type.forSchema('float'),
  double: avro.Type.forSchema('double'),
  string: avro.Type.forSchema('string'),
  bytes: avro.Type.forSchema('bytes'),
  uuid: avro.Type.forSchema({ type: 'string', logicalType: 'uuid' }, options()),
} as const satisfies Record<string, Type>;
