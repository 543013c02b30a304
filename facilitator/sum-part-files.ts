import type { Logger } from 'pino';
import type { Storage } from '../common/ports/storage.ts';
import { hasObject, readIfThere, type ReadObject } from '../common/runtime/read-object.ts';
import { sha256 } from './batch/read-batch.ts';
import type { EncodedSumPart } from './batch/sum-part.ts';
import { readSingleRecord } from './codec/read.ts';
import { sumPart } from './codec/record-types.ts';
import { isSignedBy, type SigningKey } from './crypto/signature.ts';
import { signatureIn } from './same-sum-part.ts';

/**
 * Packet and header file of a sum part that may be published by others at any moment.
 *
 * Both are written before the `.sig`, and no storage writes three objects at once, so that another execution may come
 * in between with a sum part of its own. What makes one whole of them is the rule that the `.sig` decides: it verifies
 * over one header file, which names the digest of one packet file, and once it is there nothing but those bytes is
 * meant to be written. An execution that saw no `.sig` may still be about to write others. Its write is conditional on
 * what it read, so it can harm only if that was the published file; hence it knows the bytes that it replaced, and
 * puts them back when it finds itself beaten.
 */
export class LeftoverFiles {
  readonly #storage: Storage;
  readonly #part: EncodedSumPart;
  readonly #signingKey: SigningKey;
  readonly #log: Logger;
  readonly #signal: AbortSignal | undefined;
  /** What was found in place of our files. */
  readonly #found: { readonly packets: Buffer[]; readonly header: Buffer[] } = { packets: [], header: [] };

  constructor(
    storage: Storage,
    part: EncodedSumPart,
    { signingKey, log }: { readonly signingKey: SigningKey; readonly log: Logger },
    signal: AbortSignal | undefined,
  ) {
    this.#storage = storage;
    this.#part = part;
    this.#signingKey = signingKey;
    this.#log = log;
    this.#signal = signal;
  }

  /**
   * Writes our files, in place of what an execution that did not come as far as the `.sig` has left.
   * @returns whether they are there; not if a `.sig` has come up
   */
  async replaceLeftovers(): Promise<boolean> {
    const { keys, files } = this.#part;
    return (
      (await this.#replace(keys.packets, files.packetFile, this.#found.packets)) &&
      (await this.#replace(keys.header, files.headerFile, this.#found.header))
    );
  }

  /** Makes sure that our files are there; to be called when the `.sig` is one of ours. */
  async mend(): Promise<void> {
    const { keys, files } = this.#part;
    await this.#putBack(keys.packets, files.packetFile);
    await this.#putBack(keys.header, files.headerFile);
  }

  /** Makes sure that what we found and the `.sig` covers is there; to be called when the `.sig` is not one of ours. */
  async restore(): Promise<void> {
    const { keys } = this.#part;
    const signature = await signatureIn(this.#storage, keys, this.#signal);
    const isSigned = (file: Buffer): boolean =>
      signature !== undefined && isSignedBy(file, signature, this.#signingKey.publicKey);
    const there = await this.#read(keys.header);
    const header = [...this.#found.header, ...(there ? [there.bytes] : [])].find(isSigned);
    if (!header) return;
    const digest = readSingleRecord(sumPart, header).record.packet_file_digest;
    const packets = this.#found.packets.find((file) => sha256(file).equals(digest));
    if (packets) await this.#putBack(keys.packets, packets);
    await this.#putBack(keys.header, header);
  }

  async #replace(key: string, bytes: Buffer, found: Buffer[]): Promise<boolean> {
    const options = { signal: this.#signal };
    for (;;) {
      const there = await this.#read(key);
      if (there?.bytes.equals(bytes)) return true;
      if (there) found.push(there.bytes);
      // After reading: what is read from here on, once the `.sig` is there, is not replaced.
      if (await hasObject(this.#storage, this.#part.keys.signature, options)) return false;
      const written = there
        ? await this.#storage.replaceIfUnchanged(key, there.version, bytes, options)
        : await this.#storage.createIfAbsent(key, bytes, options);
      if (written !== undefined) return true;
    }
  }

  async #putBack(key: string, bytes: Buffer): Promise<void> {
    if ((await this.#read(key))?.bytes.equals(bytes)) return;
    this.#log.warn({ object: key, storage: this.#storage.url }, 'file of a published sum part is put back in place');
    await this.#storage.put(key, bytes, { signal: this.#signal });
  }

  #read(key: string): Promise<ReadObject | undefined> {
    return readIfThere(this.#storage, key, { signal: this.#signal });
  }
}
