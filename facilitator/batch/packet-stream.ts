import { createHash } from 'node:crypto';
import { openContainer } from '../codec/container-stream.ts';
import type { BlockFormat, RecordBlock } from '../codec/record-block.ts';
import type { RecordType } from '../codec/record-types.ts';
import { isAvroFailure } from '../errors.ts';

const NO_FORMAT: BlockFormat = { schema: new Uint8Array(0), codec: 'null' };

/**
 * A packet file as it arrives. Its digest shows at its end, so nothing that was made of its blocks counts before all of
 * them have been read. A wrong digest is what is reported, also if the bytes make no sense.
 */
export class PacketStream implements AsyncDisposable {
  /** Of all blocks; a file of 0 bytes has a format that says nothing. */
  readonly format: BlockFormat;
  /** In file order, to be read once. Throws the Avro errors, and what the check of the digest throws. */
  readonly blocks: AsyncIterable<RecordBlock>;
  readonly #bytes: HashedBytes;

  private constructor(bytes: HashedBytes, format: BlockFormat, blocks: AsyncIterable<RecordBlock>) {
    this.#bytes = bytes;
    this.format = format;
    this.blocks = this.#guarded(blocks);
  }

  /** @param check throws if the SHA-256 of the file, 32 bytes, is not what it has to be */
  static async open(
    chunks: AsyncIterable<Uint8Array>,
    type: RecordType<unknown>,
    check: (digest: Buffer) => void,
  ): Promise<PacketStream> {
    const bytes = new HashedBytes(chunks, check);
    try {
      const container = await openContainer(bytes, type);
      return container
        ? new PacketStream(bytes, container.header, container.blocks)
        : new PacketStream(bytes, NO_FORMAT, noBlocks());
    } catch (err) {
      try {
        return await failing(bytes, err);
      } finally {
        await bytes.close();
      }
    }
  }

  /** SHA-256 of the file, 32 bytes. To be asked for when all blocks have been read. */
  get digest(): Buffer {
    const { digest } = this.#bytes;
    if (!digest) throw new Error('the packet file was not read to its end');
    return digest;
  }

  /**
   * Throws `err`, which came of the blocks; if it says that the file is unsound, and the digest is wrong, then what the
   * check of the digest throws.
   */
  fail(err: unknown): Promise<never> {
    return failing(this.#bytes, err);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bytes.close();
  }

  async *#guarded(blocks: AsyncIterable<RecordBlock>): AsyncGenerator<RecordBlock> {
    try {
      yield* blocks;
    } catch (err) {
      await this.fail(err);
    }
  }
}

async function failing(bytes: HashedBytes, err: unknown): Promise<never> {
  if (isAvroFailure(err)) await bytes.readRest();
  throw err;
}

async function* noBlocks(): AsyncGenerator<RecordBlock> {}

/** Chunks, hashed as they are read. Whoever leaves off leaves the rest to the next: the digest is that of all. */
class HashedBytes implements AsyncIterable<Uint8Array> {
  digest: Buffer | undefined;
  readonly #hash = createHash('sha256');
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #check: (digest: Buffer) => void;

  constructor(chunks: AsyncIterable<Uint8Array>, check: (digest: Buffer) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#check = check;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  async readRest(): Promise<void> {
    for await (const _ of this);
  }

  /** Lets go of what the chunks come from. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#chunks.next();
    if (next.done) {
      if (!this.digest) {
        this.digest = this.#hash.digest();
        this.#check(this.digest);
      }
    } else this.#hash.update(next.value);
    return next;
  }
}
