import { createHash } from 'node:crypto';
import type { ObjectBody } from '../../common/ports/storage.ts';
import { encodeValidations, type EncodableValidations } from '../codec/validation-writer.ts';

/** Up to here a file is kept instead of being encoded anew each time that it is written. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/** A packet file of validation messages, encoded as it is written, so that it need not be in memory. */
export class ValidationFile {
  readonly #encode: () => Iterable<Buffer>;
  readonly #kept: Buffer | undefined;
  /** SHA-256, 32 bytes. */
  readonly digest: Buffer;

  /**
   * @param blocks the packets in file order, the same each time that they are asked for
   * @param objectName goes into the sync marker
   */
  constructor(blocks: () => Iterable<EncodableValidations>, objectName: string) {
    this.#encode = () => encodeValidations(blocks(), objectName);
    const hash = createHash('sha256');
    let kept: Buffer[] | undefined = [];
    let bytes = 0;
    for (const part of this.#encode()) {
      hash.update(part);
      bytes += part.length;
      if (bytes > MAX_KEPT_BYTES) kept = undefined;
      kept?.push(part);
    }
    this.digest = hash.digest();
    this.#kept = kept && Buffer.concat(kept);
  }

  /** To be written once. */
  body(): ObjectBody {
    return this.#kept ?? asyncOf(this.#encode());
  }

  /** The whole file. */
  bytes(): Buffer {
    return this.#kept ?? Buffer.concat([...this.#encode()]);
  }
}

async function* asyncOf(parts: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* parts;
}
