import { isUtf8 } from 'node:buffer';
import type { Type } from 'avsc';
import { avscTypes } from './avsc-types.ts';
import type { Cursor } from './cursor.ts';
import { MAX_LIST_ITEMS, MAX_TEXT_BYTES, MIN_VIEW_BYTES } from './limits.ts';
import type { Long } from './records.ts';
import type { ScalarKind, Shape } from './shape.ts';
import type { PrimitiveNode, SchemaNode } from './writer-schema.ts';

/** Decodes the value at the cursor and moves past it. A walker has been there, so its lengths and counts are sound. */
export type ValueReader = (cursor: Cursor) => unknown;

/**
 * How a value of type `written` becomes one of `shape`: integers of either size, any number for a double, strings
 * for UUIDs, bytes for strings and the reverse, unions by the kind of the branch.
 * docs/protocol.md, "Schema resolution".
 * @returns `undefined` if no value can
 */
export function valueReader(shape: Shape<unknown>, written: SchemaNode): ValueReader | undefined {
  if (written.kind === 'union') {
    const branches = written.branches.map((branch) => valueReader(shape, branch));
    return branches.some((read) => read !== undefined) ? unionReader(branches, written.branches) : undefined;
  }
  if (shape.form === 'list') {
    const read = written.kind === 'array' && valueReader({ ...shape, form: 'single' }, written.items);
    return read ? listReader(read) : undefined;
  }
  if (shape.form === 'optional' && written.kind === 'null') return () => null;
  return scalarReader(shape.kind, written);
}

function unionReader(branches: readonly (ValueReader | undefined)[], types: readonly SchemaNode[]): ValueReader {
  return (cursor) => {
    const start = cursor.pos;
    const index = cursor.index(branches.length, 'union branch');
    const read = branches[index];
    if (!read) throw cursor.malformed(`a value of type ${types[index]?.kind}, which does not fit,`, start);
    return read(cursor);
  };
}

function listReader(read: ValueReader): ValueReader {
  return (cursor) => {
    const start = cursor.pos;
    const list: unknown[] = [];
    for (let count = cursor.items(); count > 0; count = cursor.items()) {
      if (list.length + count > MAX_LIST_ITEMS) {
        throw cursor.overLimit(`an array of ${list.length + count} items (at most ${MAX_LIST_ITEMS})`, start);
      }
      for (let i = 0; i < count; i++) list.push(read(cursor));
    }
    return list;
  };
}

function scalarReader(kind: ScalarKind, written: SchemaNode): ValueReader | undefined {
  switch (kind) {
    case 'string':
      return written.kind === 'string' || written.kind === 'bytes' ? readText : undefined;
    case 'uuid':
      return written.kind === 'string' ? readUuid : undefined;
    case 'bytes':
      if (written.kind === 'bytes') return readBytes;
      return written.kind === 'string' ? readTextBytes : undefined;
    case 'int':
      if (written.kind === 'int') return readInt;
      return written.kind === 'long' ? (cursor) => lowInt(readLong(cursor)) : undefined;
    case 'long':
      return integerReader(written);
    case 'timestamp':
      return 'logicalType' in written && hasOtherUnit(written) ? undefined : integerReader(written);
    default:
      return doubleReader(written);
  }
}

function integerReader({ kind }: SchemaNode): ValueReader | undefined {
  if (kind === 'int') return readInt;
  return kind === 'long' ? readLong : undefined;
}

function doubleReader({ kind }: SchemaNode): ValueReader | undefined {
  switch (kind) {
    case 'int':
      return readInt;
    case 'long':
      return (cursor) => Number(readLong(cursor));
    case 'float':
      return decoder(avscTypes.float);
    case 'double':
      return decoder(avscTypes.double);
    default:
      return undefined;
  }
}

/** Microseconds read as milliseconds would be a date in the far future. */
const hasOtherUnit = ({ logicalType }: PrimitiveNode): boolean => /(?:micros|nanos)$/.test(logicalType ?? '');

/** The low 32 bits, as the reference does. */
const lowInt = (value: Long): number => Number(BigInt.asIntN(32, BigInt(value)));

const decoder =
  (type: Type): ((cursor: Cursor) => unknown) =>
  (cursor) => {
    const { value, offset }: { value: unknown; offset: number } = type.decode(cursor.bytes, cursor.pos);
    cursor.pos = offset;
    return value;
  };

const decodeString = decoder(avscTypes.string) as (cursor: Cursor) => string; // what avsc gives for a string
const decodeUuid = decoder(avscTypes.uuid);
const decodeBytes = decoder(avscTypes.bytes);
const readInt = decoder(avscTypes.int);
const readLong = decoder(avscTypes.long) as (cursor: Cursor) => Long; // what our long type gives

/** @returns the length of the text, whose bytes follow */
function textLength(cursor: Cursor): number {
  const start = cursor.pos;
  const length = cursor.length();
  if (length > MAX_TEXT_BYTES) throw cursor.overLimit(`a text of ${length} bytes (at most ${MAX_TEXT_BYTES})`, start);
  return length;
}

function readText(cursor: Cursor): string {
  const start = cursor.pos;
  const length = textLength(cursor);
  const utf8Start = cursor.pos;
  cursor.pos = start;
  const text = decodeString(cursor);
  // What is no UTF-8 comes out as U+FFFD, but that may also have been written.
  if (text.includes('\uFFFD') && !isUtf8(cursor.bytes.subarray(utf8Start, utf8Start + length))) {
    throw cursor.malformed('a string that is not UTF-8', start);
  }
  return text;
}

function readUuid(cursor: Cursor): unknown {
  const start = cursor.pos;
  textLength(cursor);
  cursor.pos = start;
  return decodeUuid(cursor);
}

/** Long values as views, so that the packet file within a signature is not twice in memory. */
function readBytes(cursor: Cursor): unknown {
  const start = cursor.pos;
  const length = cursor.length();
  // Of what has been inflated, a view keeps the rest in memory too, so it has to be worth it.
  if (length >= MIN_VIEW_BYTES && (!cursor.inflated || 2 * length >= cursor.bytes.length)) return cursor.take(length);
  cursor.pos = start;
  return decodeBytes(cursor);
}

function readTextBytes(cursor: Cursor): unknown {
  const start = cursor.pos;
  const length = cursor.length();
  if (!isUtf8(cursor.bytes.subarray(cursor.pos, cursor.pos + length))) {
    throw cursor.malformed('a string that is not UTF-8', start);
  }
  cursor.pos = start;
  return readBytes(cursor);
}
