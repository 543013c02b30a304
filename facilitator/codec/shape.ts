import type { Long } from './records.ts';

/** What a value is, apart from whether it may be absent or repeated. */
export type ScalarKind = 'string' | 'uuid' | 'bytes' | 'int' | 'long' | 'timestamp' | 'double';

/**
 * How a field of one of our records is written: as one value, as a union with null, or as an array.
 * `V` is its type in TypeScript.
 */
export interface Shape<V> {
  readonly form: 'single' | 'optional' | 'list';
  readonly kind: ScalarKind;
  /** The Avro schema, as it is to stand in the file. */
  readonly schema: unknown;
  /** What a file that lacks the field is read as. Without it, the field must be there. */
  readonly default?: V;
}

const single = <V>(kind: ScalarKind, schema: unknown = kind): Shape<V> => ({ form: 'single', kind, schema });

export const string = single<string>('string');
export const bytes = single<Uint8Array>('bytes');
export const int = single<number>('int');
export const long = single<Long>('long');
export const double = single<number>('double');

// A logical type stands within the type, not beside it on the field: docs/protocol.md, "Avro".
export const uuid = single<string>('uuid', { type: 'string', logicalType: 'uuid' });
/** Milliseconds since 1970, UTC. */
export const timestamp = single<Long>('timestamp', { type: 'long', logicalType: 'timestamp-millis' });

/** A union in which null is branch 0. */
export function nullOr<V>({ kind, schema }: Shape<V>): Shape<V | null> {
  return { form: 'optional', kind, schema: ['null', schema] };
}

/** A union in which null is branch 1. */
export function orNull<V>({ kind, schema }: Shape<V>): Shape<V | null> {
  return { form: 'optional', kind, schema: [schema, 'null'] };
}

export function listOf<V>({ kind, schema }: Shape<V>): Shape<readonly V[]> {
  return { form: 'list', kind, schema: { type: 'array', items: schema } };
}

export function withDefault<V>(shape: Shape<V>, value: V): Shape<V> {
  return { ...shape, default: value };
}
