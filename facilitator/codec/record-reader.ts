import { DspError } from '../../common/errors.ts';
import { AvroSchemaUnsuitable } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import type { Field, RecordType } from './record-types.ts';
import { valueReader, type ValueReader } from './value-reader.ts';
import { inSequence, WalkerCompiler } from './walker.ts';
import { parseWriterSchema, type RecordNode, type SchemaNode } from './writer-schema.ts';

/** Reads the record at the cursor and moves past it. */
export type RecordReader<T> = (cursor: Cursor) => T;

interface Known {
  readonly schema: Buffer;
  readonly read: RecordReader<unknown>;
}

/** By record type. */
const ownSchemas = new WeakMap<object, Known>();

/**
 * What reads the records of a file with this schema as `type`.
 * @param schema JSON as it stands in the file
 * @throws AvroSchemaUnsuitable, AvroMalformed, AvroLimitExceeded if it cannot be
 */
export function recordReader<T>(type: RecordType<T>, schema: Buffer): RecordReader<T> {
  let own = ownSchemas.get(type);
  if (!own) {
    const text = Buffer.from(type.schemaText, 'utf8');
    own = { schema: text, read: compile(type, parseWriterSchema(text)) };
    ownSchemas.set(type, own);
  }
  // The one under the key `type` was compiled for it.
  return schema.equals(own.schema) ? (own.read as RecordReader<T>) : compile(type, parseWriterSchema(schema));
}

/** A field of ours, and where to get it from. */
interface Slot {
  readonly name: string;
  /** For messages. */
  readonly label: string;
  /** `undefined` if the file lacks it. */
  readonly read: ValueReader | undefined;
  readonly default: unknown;
}

/**
 * A record is passed twice: a walker checks all of it and notes where our fields begin, then these alone are decoded.
 * So nothing is made of fields that we do not know, however large, and avsc sees only bytes that are sound.
 */
function compile<T>(type: RecordType<T>, written: RecordNode): RecordReader<T> {
  const slots = type.fields.map((field) => slotFor(type, field, written));
  const starts = slots.map(() => 0);
  const compiler = new WalkerCompiler();
  const walk = inSequence(
    written.fields.map(({ name, type }) => {
      const pass = compiler.walkOf(type);
      const slot = slots.findIndex((slot) => slot.name === name);
      if (slot < 0) return { size: type.size, walk: pass };
      const passNoting = (cursor: Cursor): void => {
        starts[slot] = cursor.pos;
        pass(cursor);
      };
      // Of no known size, lest it be joined with its neighbours.
      return { size: undefined, walk: passNoting };
    }),
  );
  return (cursor) => {
    cursor.field = undefined;
    cursor.enter();
    walk(cursor);
    cursor.leave();
    const end = cursor.pos;
    const record: Record<string, unknown> = {};
    try {
      for (let i = 0; i < slots.length; i++) {
        // Both have an element a field.
        const slot = slots[i]!;
        cursor.pos = starts[i]!;
        cursor.field = slot.label;
        record[slot.name] = slot.read ? slot.read(cursor) : slot.default;
      }
    } catch (cause) {
      throw cause instanceof DspError ? cause : cursor.malformed('a value that cannot be read', cursor.pos, { cause });
    }
    cursor.pos = end;
    // Each field of T is there, of the shape that `Shapes<T>` states.
    return record as T;
  };
}

function slotFor<T>(type: RecordType<T>, { name, shape }: Field, written: RecordNode): Slot {
  const label = `${type.name}.${name}`;
  const source = written.fields.find((field) => field.name === name);
  if (!source) {
    if (shape.default === undefined) {
      throw new AvroSchemaUnsuitable(`the schema of the file lacks ${label}, which has no default`);
    }
    return { name, label, read: undefined, default: shape.default };
  }
  const read = valueReader(shape, source.type);
  if (!read) {
    throw new AvroSchemaUnsuitable(
      `the schema of the file has ${label} as ${describe(source.type)}, which is not read as ${JSON.stringify(shape.schema)}`,
    );
  }
  return { name, label, read, default: undefined };
}

function describe(node: SchemaNode): string {
  if (node.kind === 'union') return `a union of ${node.branches.slice(0, 8).map(describe).join(', ') || 'nothing'}`;
  return 'logicalType' in node && node.logicalType ? `${node.kind} (${node.logicalType.slice(0, 40)})` : node.kind;
}
