import type { BatchKeys } from '../../common/domain/batch-path.ts';
import { fateOf } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { hasObject } from '../../common/runtime/read-object.ts';
import type { ValidationBlock } from '../codec/record-block.ts';
import type { IngestionHeader, ValidationHeader } from '../codec/records.ts';
import { validationHeader, validationPacket } from '../codec/record-types.ts';
import { soleKey } from '../crypto/key-source.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { OwnValidationContradicted } from '../errors.ts';
import { differingFields } from './header.ts';
import { openBatch, type OpenBatch } from './open-batch.ts';
import { validationsOf } from './validation-stream.ts';

/** Avro metadata of our own validation header: SHA-256, in hexadecimal, of the ingestion packet file it was made from. */
const INGESTION_DIGEST = 'prio.ingestion_packet_file_digest';

/** The metadata that ties our own validation batch to its ingestion packet file, under our signature. */
export function ownValidationMetadata(ingestionPacketFileDigest: Uint8Array): Record<string, string> {
  return { [INGESTION_DIGEST]: Buffer.from(ingestionPacketFileDigest).toString('hex') };
}

/**
 * Our own validation batch: the record of what intake told the peer about one ingestion batch. Signed by us, and of the
 * same header as the ingestion batch that is before us now.
 */
export class OwnValidation {
  readonly #batch: OpenBatch<ValidationHeader>;
  /** For messages. */
  readonly #place: string;

  private constructor(batch: OpenBatch<ValidationHeader>, place: string) {
    this.#batch = batch;
    this.#place = place;
  }

  /**
   * @returns `undefined` if there is none: its `.sig` is written last, so without it the peer may not have been told
   * @throws OwnValidationContradicted if there is one and it is anything but sound
   */
  static async open(
    storage: Storage,
    keys: BatchKeys,
    signingKey: SigningKey,
    ingestion: IngestionHeader,
    signal?: AbortSignal,
  ): Promise<OwnValidation | undefined> {
    const place = `our own validation batch ${keys.header} in ${storage.url}`;
    if (!(await hasObject(storage, keys.signature, { signal }))) return undefined;
    let batch: OpenBatch<ValidationHeader>;
    try {
      const trust = { keys: soleKey(signingKey.publicKey, 'our own') };
      batch = await openBatch(
        { storage, keys, headerType: validationHeader, packetType: validationPacket },
        trust,
        signal,
      );
    } catch (err) {
      throw unsound(place, err);
    }
    const differing = differingFields(batch.header, ingestion);
    if (differing.length > 0) {
      throw new OwnValidationContradicted(`${place} differs from the ingestion header in ${differing.join(', ')}`);
    }
    return new OwnValidation(batch, place);
  }

  /** It names the digests of both packet files, so records with the same one are the same. */
  get headerFile(): Uint8Array {
    return this.#batch.headerFile;
  }

  /** The name under which it is signed. */
  get keyIdentifier(): string {
    return this.#batch.keyIdentifier;
  }

  /** SHA-256 of its packet file, by its header. */
  get packetFileDigest(): Uint8Array {
    return this.#batch.packetFile.statedDigest;
  }

  /** Whether it was made from the ingestion packet file with this SHA-256. */
  isMadeFrom(ingestionPacketFileDigest: Uint8Array): boolean {
    return this.#ingestionDigest() === Buffer.from(ingestionPacketFileDigest).toString('hex');
  }

  /** @throws OwnValidationContradicted if it was not */
  requireMadeFrom(ingestionPacketFileDigest: Uint8Array): void {
    if (this.isMadeFrom(ingestionPacketFileDigest)) return;
    throw new OwnValidationContradicted(
      `${this.#place} was made from another ingestion packet file (SHA-256 ${this.#ingestionDigest() ?? 'not recorded'})`,
    );
  }

  /**
   * What was told, in packet order; to be read to its end before it counts.
   * @throws OwnValidationContradicted if its packet file is not sound
   */
  async *packets(signal?: AbortSignal): AsyncGenerator<ValidationBlock> {
    try {
      await using stream = await this.#batch.packetFile.open(signal);
      yield* validationsOf(stream);
    } catch (err) {
      throw unsound(this.#place, err);
    }
  }

  #ingestionDigest(): string | undefined {
    return this.#batch.headerMetadata.get(INGESTION_DIGEST)?.toString();
  }
}

function unsound(place: string, err: unknown): unknown {
  if (err instanceof OwnValidationContradicted || fateOf(err) !== 'reject') return err;
  return new OwnValidationContradicted(`${place} is unsound`, { cause: err });
}
