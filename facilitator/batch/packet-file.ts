import { createHash } from 'node:crypto';
import { ObjectMissing, StorageUnavailable } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { streamObject } from '../../common/runtime/stream-object.ts';
import type { RecordType } from '../codec/record-types.ts';
import { DigestMismatch } from '../errors.ts';
import { PacketStream } from './packet-stream.ts';

export interface PacketFileSource {
  readonly storage: Storage;
  readonly key: string;
  /** Of its records. */
  readonly type: RecordType<unknown>;
  /** The file itself, where it came within the signature's object. */
  readonly inline: Uint8Array | undefined;
  /** SHA-256 of the file, by the header. */
  readonly statedDigest: Uint8Array;
  /** If present, a wrong digest is reported here and the file counts all the same; if absent, it is thrown. */
  readonly onMismatch: ((error: DigestMismatch) => void) | undefined;
}

/** The packet file of a batch, which is read as a stream, as often as need be. */
export class PacketFile {
  readonly #source: PacketFileSource;

  constructor(source: PacketFileSource) {
    this.#source = source;
  }

  /** SHA-256 of the file, by the header. */
  get statedDigest(): Uint8Array {
    return this.#source.statedDigest;
  }

  /**
   * @throws ObjectMissing for a missing file that is not empty by its digest; DigestMismatch, the Avro errors, as
   *   `PacketStream`
   */
  async open(signal?: AbortSignal): Promise<PacketStream> {
    const { chunks, isMissing } = await this.#chunks(signal);
    return PacketStream.open(chunks, this.#source.type, (digest) => this.#checkStated(digest, isMissing));
  }

  /**
   * As `open`, of a file that has been read before.
   * @param before its SHA-256
   * @throws StorageUnavailable, at its end, if it is not the same any more
   */
  async openAgain(before: Uint8Array, signal?: AbortSignal): Promise<PacketStream> {
    const { chunks } = await this.#chunks(signal);
    return PacketStream.open(chunks, this.#source.type, (digest) => {
      if (digest.equals(before)) return;
      const { key, storage } = this.#source;
      throw new StorageUnavailable(`${key} in ${storage.url} was replaced while its batch was being read`);
    });
  }

  /** The whole file, and its SHA-256. @throws ObjectMissing, DigestMismatch */
  async bytes(signal?: AbortSignal): Promise<{ readonly bytes: Buffer; readonly digest: Buffer }> {
    const { chunks, isMissing } = await this.#chunks(signal);
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const bytes = Buffer.concat(parts);
    const digest = createHash('sha256').update(bytes).digest();
    this.#checkStated(digest, isMissing);
    return { bytes, digest };
  }

  async #chunks(signal?: AbortSignal): Promise<{ chunks: AsyncIterable<Uint8Array>; isMissing: boolean }> {
    const { storage, key, inline } = this.#source;
    if (inline) return { chunks: oneChunk(inline), isMissing: false };
    try {
      return { chunks: await streamObject(storage, key, { signal }), isMissing: false };
    } catch (err) {
      if (err instanceof ObjectMissing) return { chunks: oneChunk(new Uint8Array(0)), isMissing: true };
      throw err;
    }
  }

  /**
   * Cloud writers leave no object where there are no packets, so a missing one may be in order, but only the digest can
   * say so; to take a lost one for empty would drop every packet in it, hence no permission to be malformed reaches this
   * far.
   */
  #checkStated(digest: Buffer, isMissing: boolean): void {
    const { storage, key, statedDigest, onMismatch } = this.#source;
    if (digest.equals(statedDigest)) return;
    if (isMissing) {
      throw new ObjectMissing(`no object ${key} in ${storage.url}, and its header says that it is not empty`);
    }
    const error = new DigestMismatch(`${key} in ${storage.url} is not the packet file that its header describes`);
    if (!onMismatch) throw error;
    onMismatch(error);
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
