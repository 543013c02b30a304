import { AvroMalformed } from '../errors.ts';
import { Cursor } from './cursor.ts';
import { Inflater, type Codec } from './inflate.ts';
import { MAX_METADATA_ENTRIES } from './limits.ts';

/** The first four bytes of a file. Avro specification, "Object Container Files". */
export const MAGIC = Buffer.from('Obj\x01', 'latin1');

/** What every block ends with. */
export const SYNC_BYTES = 16;

/** What stands before the blocks of a file. */
export interface ContainerHeader {
  /** Views of the file. */
  readonly metadata: ReadonlyMap<string, Buffer>;
  /** JSON, unchecked. */
  readonly schema: Buffer;
  readonly codec: Codec;
  readonly sync: Buffer;
}

/** Some records, as they lie in the file. */
interface Frame {
  readonly count: number;
  /** Possibly compressed. */
  readonly block: Cursor;
}

/** An Avro object container file, of untrusted bytes. Avro specification, "Object Container Files". */
export class Container {
  readonly header: ContainerHeader;
  readonly #cursor: Cursor;
  readonly #firstBlock: number;

  /** @throws AvroMalformed, AvroLimitExceeded if it has more than 1024 metadata entries */
  constructor(file: Uint8Array) {
    this.#cursor = new Cursor(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
    this.header = readHeader(this.#cursor);
    this.#firstBlock = this.#cursor.pos;
  }

  /**
   * The records in file order, one block inflated at a time.
   * @param read moves the cursor from the beginning of a record, which takes at least a byte, to its end
   * @throws AvroMalformed, AvroLimitExceeded, and what `read` throws
   */
  *records<T>(read: (cursor: Cursor) => T): Generator<T> {
    const inflater = new Inflater(this.header.codec);
    const cursor = this.#cursor;
    let position = this.#firstBlock;
    for (;;) {
      cursor.pos = position;
      const frame = nextFrame(cursor, this.header);
      if (!frame) return;
      position = cursor.pos;
      // A generator of its own, so that this block is no longer in memory when the next one is inflated.
      yield* recordsOf(frame.count, inflater.open(frame.block), read);
    }
  }
}

/**
 * The records of one block.
 * @param cursor at the first of them; ends with the block, inflated
 * @throws AvroMalformed unless they are `count` and nothing else, and what `read` throws
 */
export function* recordsOf<T>(count: number, cursor: Cursor, read: (cursor: Cursor) => T): Generator<T> {
  if (count > cursor.remaining) throw cursor.malformed(`${count} records in ${cursor.remaining} bytes`);
  for (let i = 0; i < count; i++) yield read(cursor);
  if (cursor.remaining > 0) throw cursor.malformed(`${cursor.remaining} bytes after the ${count} records of a block`);
}

/** What stands before the records of a block. */
export interface BlockHead {
  /** Of records. */
  readonly count: number;
  /** Bytes, not counting the sync marker; there may be fewer. */
  readonly size: number;
  /** The error if there are: `left` bytes follow the size. */
  readonly tooLong: (left: number) => AvroMalformed;
}

/**
 * Reads the count and size of a block.
 * @param cursor over the rest of the file, or over 20 bytes of it at least
 * @returns `undefined` at the end of the file, which may also lie within the count of a block never written
 */
export function readBlockHead(cursor: Cursor): BlockHead | undefined {
  if (cursor.endsInLong()) return undefined;
  const start = cursor.pos;
  const count = cursor.long();
  if (count < 0) throw cursor.malformed(`a block of ${count} records`, start);
  const sizeAt = cursor.pos;
  const size = cursor.long();
  if (size < 0) throw cursor.malformed(`a block of ${size} bytes`, sizeAt);
  const tooLong = (left: number): AvroMalformed =>
    cursor.malformed(`a block of ${size} bytes where ${left} are left,`, sizeAt);
  return { count, size, tooLong };
}

/**
 * @param marker the bytes before the cursor's position
 * @throws AvroMalformed if it is not that of the file
 */
export function checkSync(marker: Buffer, { sync }: ContainerHeader, cursor: Cursor): void {
  if (!marker.equals(sync)) throw cursor.malformed('a wrong sync marker', cursor.pos - SYNC_BYTES);
}

function nextFrame(cursor: Cursor, header: ContainerHeader): Frame | undefined {
  const head = readBlockHead(cursor);
  if (!head) return undefined;
  if (head.size > cursor.remaining - SYNC_BYTES) throw head.tooLong(cursor.remaining);
  const block = new Cursor(cursor.bytes, cursor.pos, cursor.pos + head.size);
  cursor.skip(head.size);
  checkSync(cursor.take(SYNC_BYTES), header, cursor);
  return { count: head.count, block };
}

/** @throws AvroMalformed, AvroLimitExceeded if it has more than 1024 metadata entries */
export function readHeader(cursor: Cursor): ContainerHeader {
  if (cursor.remaining === 0) throw new AvroMalformed('an empty file where a record was expected');
  const magic = cursor.bytes.subarray(cursor.pos, Math.min(cursor.pos + MAGIC.length, cursor.end));
  if (!magic.equals(MAGIC)) throw cursor.malformed('not an Avro object container file: no "Obj", 1');
  cursor.skip(MAGIC.length);
  const metadata = readMetadata(cursor);
  const sync = cursor.take(SYNC_BYTES);
  const schema = metadata.get('avro.schema');
  if (!schema) throw cursor.malformed('no avro.schema in the metadata that ends', cursor.pos - SYNC_BYTES);
  return { metadata, schema, codec: codecOf(metadata.get('avro.codec')), sync };
}

function readMetadata(cursor: Cursor): Map<string, Buffer> {
  const metadata = new Map<string, Buffer>();
  let entries = 0;
  for (let count = cursor.items(); count > 0; count = cursor.items()) {
    entries += count;
    if (entries > MAX_METADATA_ENTRIES) {
      throw cursor.overLimit(`${entries} metadata entries (at most ${MAX_METADATA_ENTRIES})`);
    }
    for (let i = 0; i < count; i++) {
      const key = cursor.text();
      metadata.set(key, cursor.take(cursor.length()));
    }
  }
  return metadata;
}

/** The reference takes a codec that it does not know for null. docs/protocol.md, "Container files". */
function codecOf(name: Buffer | undefined): Codec {
  const text = name?.toString('latin1');
  return text === 'deflate' || text === 'snappy' ? text : 'null';
}
