import { createHash } from 'node:crypto';
import type { ObjectBody } from '../../common/ports/storage.ts';
import type { MessageBlock } from '../codec/record-block.ts';
import { encodeValidations } from '../codec/validation-writer.ts';

/** Up to here a file is kept, beyond it is encoded anew each time that it is written. 600,000 packets or more fit. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** Up to here a kept file is written in one piece, which a backend can send again as it is. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

const PIECE_BYTES = 1024 * 1024;

/** A packet file of validation messages, encoded as it is written if it is too large to be kept in memory. */
export class ValidationFile {
  readonly #encode: () => Iterable<Buffer>;
  readonly #kept: readonly Buffer[] | undefined;
  /** SHA-256, 32 bytes. */
  readonly digest: Buffer;

  /**
   * @param blocks the packets in file order, the same each time that they are asked for
   * @param objectName goes into the sync marker
   */
  constructor(blocks: () => Iterable<MessageBlock>, objectName: string) {
    this.#encode = () => inPieces(encodeValidations(blocks(), objectName));
    const hash = createHash('sha256');
    let kept: Buffer[] | undefined = [];
    let bytes = 0;
    for (const piece of this.#encode()) {
      hash.update(piece);
      bytes += piece.length;
      if (bytes > MAX_KEPT_BYTES) kept = undefined;
      kept?.push(piece);
    }
    this.digest = hash.digest();
    this.#kept = bytes > MAX_WHOLE_BYTES ? kept : [Buffer.concat(kept ?? [])];
  }

  /** To be written once. */
  body(): ObjectBody {
    return this.#kept?.length === 1 ? this.#kept[0]! : asyncOf(this.#kept ?? this.#encode()); // there is the one
  }

  /** The whole file. */
  bytes(): Buffer {
    return Buffer.concat([...(this.#kept ?? this.#encode())]);
  }
}

/** The encoder's chunks are small, and each would cost a write. */
function* inPieces(parts: Iterable<Buffer>): Generator<Buffer> {
  let gathered: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    gathered.push(part);
    bytes += part.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(gathered);
}

async function* asyncOf(parts: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* parts;
}
