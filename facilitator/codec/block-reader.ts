import { Cursor } from './cursor.ts';
import { Inflater, type Codec } from './inflate.ts';
import type { BlockFormat, RecordBlock } from './record-block.ts';
import { recordReader, type RecordReader } from './record-reader.ts';
import type { RecordType } from './record-types.ts';
import { parseWriterSchema, type RecordNode, type SchemaNode } from './writer-schema.ts';

/** How the blocks of files with one schema are read. */
interface Plan<T> {
  readonly schema: Buffer;
  readonly asOurs: boolean;
  readonly read: RecordReader<T>;
}

/** A block, ready to be read. */
export interface OpenBlock<T> {
  /** At the first record; over the whole buffer, which is inflated. */
  readonly cursor: Cursor;
  /** Whether its records have the bytes that our own writer would give them, whatever the names of their types. */
  readonly asOurs: boolean;
  /** Reads any record that can be read. */
  readonly read: RecordReader<T>;
}

/** Opens blocks of files of any writer, of one record type; made once, for all files. */
export class BlockReader<T> {
  readonly #type: RecordType<T>;
  readonly #inflaters = new Map<Codec, Inflater>();
  /** The last one; the blocks of a file mostly come one after the other. */
  #plan: Plan<T> | undefined;

  constructor(type: RecordType<T>) {
    this.#type = type;
  }

  /**
   * @throws AvroSchemaUnsuitable, AvroMalformed, AvroLimitExceeded if the schema cannot be read as the type, or the
   *   block not be inflated
   */
  open({ schema, codec }: BlockFormat, { bytes, position }: RecordBlock): OpenBlock<T> {
    const { asOurs, read } = this.#planFor(schema);
    const cursor = new Cursor(asBuffer(bytes), 0, bytes.length, { origin: position });
    return { cursor: this.#inflater(codec).open(cursor), asOurs, read };
  }

  #planFor(schema: Uint8Array): Plan<T> {
    if (this.#plan?.schema.equals(schema)) return this.#plan;
    const text = Buffer.from(schema);
    const read = recordReader(this.#type, text);
    this.#plan = { schema: text, asOurs: isWrittenAsOurs(this.#type, text), read };
    return this.#plan;
  }

  #inflater(codec: Codec): Inflater {
    let inflater = this.#inflaters.get(codec);
    if (!inflater) this.#inflaters.set(codec, (inflater = new Inflater(codec)));
    return inflater;
  }
}

/** The shortest form of a UUID that is read: 32 digits, and the length. */
const MIN_UUID_BYTES = 33;

/**
 * For how many records with a UUID there has to be room: a block may state any count, but one that its bytes cannot
 * hold ends in an error before there are more than these.
 */
export function roomFor(count: number, cursor: Cursor): number {
  return Math.min(count, Math.floor(cursor.remaining / MIN_UUID_BYTES));
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Whether the schema has the same fields in the same order, of types that are encoded alike. */
function isWrittenAsOurs<T>(type: RecordType<T>, schema: Buffer): boolean {
  const ownText = Buffer.from(type.schemaText, 'utf8');
  return schema.equals(ownText) || haveSameFields(parseWriterSchema(ownText), parseWriterSchema(schema));
}

function haveSameFields(ours: RecordNode, written: RecordNode): boolean {
  return (
    ours.fields.length === written.fields.length &&
    ours.fields.every(({ name, type }, i) => {
      const field = written.fields[i];
      return field !== undefined && field.name === name && areEncodedAlike(type, field.type);
    })
  );
}

/** Whatever the logical types, which have no say in it. Packets have unions and primitive types only. */
function areEncodedAlike(ours: SchemaNode, written: SchemaNode): boolean {
  if (ours.kind === 'union' && written.kind === 'union') {
    const { branches } = written;
    return (
      ours.branches.length === branches.length &&
      ours.branches.every((branch, i) => {
        const other = branches[i];
        return other !== undefined && areEncodedAlike(branch, other);
      })
    );
  }
  return 'logicalType' in ours && ours.kind === written.kind;
}
