import { AvroLimitExceeded } from '../errors.ts';
import { checkSync, readBlockHead, readHeader, SYNC_BYTES, type ContainerHeader } from './container.ts';
import { Cursor } from './cursor.ts';
import { IncomingBytes } from './incoming-bytes.ts';
import { MAX_STREAMED_BYTES } from './limits.ts';
import { MAX_LONG_BYTES } from './long.ts';
import type { RecordBlock } from './record-block.ts';
import { recordReader } from './record-reader.ts';
import type { RecordType } from './record-types.ts';

/** An Avro object container file that is read as it arrives. */
export interface OpenedContainer {
  /** Its bytes are copies. */
  readonly header: ContainerHeader;
  /**
   * The blocks in file order, to be iterated once; the bytes of each may be kept, not changed, and may be part of the
   * chunk that they came in. Besides the one it gives, no more than a chunk is held. Where the file is no container
   * file it throws the error that reading the whole file would have given: AvroMalformed or AvroLimitExceeded, the
   * latter also for a block of more than 64 MiB.
   */
  readonly blocks: AsyncIterable<RecordBlock>;
}

/** Most headers fit. */
const FIRST_LOOK_BYTES = 4096;

/**
 * Finds the blocks of an untrusted file while its bytes arrive. Avro specification, "Object Container Files".
 * @param chunks the file, in chunks of any size. They are iterated to the end of the file or to the first error, but
 *   never closed, so that whoever has to see all bytes can go on; whoever stops early closes them.
 * @param type as which the records have to be readable; without it, an unsuitable schema shows at the first block
 * @returns `undefined` for 0 bytes, which hold no records
 * @throws AvroMalformed, AvroLimitExceeded if the header is none, has more than 1024 metadata entries or 64 MiB;
 *   AvroSchemaUnsuitable if records of `type` cannot be read
 */
export async function openContainer(
  chunks: AsyncIterable<Uint8Array>,
  type?: RecordType<unknown>,
): Promise<OpenedContainer | undefined> {
  const incoming = new IncomingBytes(chunks);
  if ((await incoming.peek(1)).length === 0) return undefined;
  const size = await headerSize(incoming);
  const bytes = Buffer.allocUnsafeSlow(size);
  await incoming.read(bytes);
  const header = readHeader(new Cursor(bytes));
  if (type) recordReader(type, header.schema);
  return { header, blocks: blocksOf(incoming, header) };
}

/** The bytes that were needed have yet to come. */
class BytesOutstanding extends Error {}

/** Over the beginning of a file. */
class BeginningCursor extends Cursor {
  protected override lacking(): Error {
    return new BytesOutstanding();
  }
}

async function headerSize(incoming: IncomingBytes): Promise<number> {
  let seen = await incoming.peek(FIRST_LOOK_BYTES);
  for (;;) {
    const cursor = new BeginningCursor(seen);
    try {
      readHeader(cursor);
      return cursor.pos;
    } catch (err) {
      if (!(err instanceof BytesOutstanding)) throw err;
    }
    if (seen.length > MAX_STREAMED_BYTES) {
      throw new AvroLimitExceeded(`a header of ${seen.length} bytes or more (at most ${MAX_STREAMED_BYTES})`);
    }
    // Twice as much each time, so that all looks together cost no more than a few.
    const more = await incoming.peek(2 * seen.length);
    // Nothing is outstanding: the error is due.
    if (more.length === seen.length) readHeader(new Cursor(seen));
    seen = more;
  }
}

async function* blocksOf(incoming: IncomingBytes, header: ContainerHeader): AsyncGenerator<RecordBlock> {
  const marker = Buffer.alloc(SYNC_BYTES);
  for (;;) {
    const start = incoming.position;
    const seen = await incoming.peek(2 * MAX_LONG_BYTES);
    const cursor = new Cursor(seen, 0, seen.length, { origin: start });
    const head = readBlockHead(cursor);
    if (!head) return;
    incoming.skip(cursor.pos);
    const { count, size } = head;
    const position = incoming.position;
    if (size > MAX_STREAMED_BYTES) {
      const left = await incoming.drain();
      if (size > left - SYNC_BYTES) throw head.tooLong(left);
      throw new AvroLimitExceeded(`a block of ${size} bytes (at most ${MAX_STREAMED_BYTES}) at byte ${start}`);
    }
    let bytes = incoming.take(size);
    let left = size;
    if (!bytes) {
      // What the block says of its size costs nothing until bytes arrive: pages that are not written to are not there.
      bytes = Buffer.allocUnsafeSlow(size);
      left = await incoming.read(bytes);
    }
    left += await incoming.read(marker);
    if (left < size + SYNC_BYTES) throw head.tooLong(left);
    checkSync(marker, header, new Cursor(marker, SYNC_BYTES, SYNC_BYTES, { origin: position + size }));
    yield { count, bytes, position };
  }
}
