import type { BatchKeys } from '../../common/domain/batch-path.ts';
import { fateOf } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { hasObject } from '../../common/runtime/read-object.ts';
import type { IngestionHeader, ValidationHeader, ValidationPacket } from '../codec/records.ts';
import { validationHeader, validationPacket } from '../codec/record-types.ts';
import { soleKey } from '../crypto/key-source.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { OwnValidationContradicted } from '../errors.ts';
import type { VerificationMessage } from '../prio/verification.ts';
import { differingFields } from './header.ts';
import { readBatch, type SignedBatch } from './read-batch.ts';

/** Avro metadata of our own validation header: SHA-256, in hexadecimal, of the ingestion packet file it was made from. */
const INGESTION_DIGEST = 'prio.ingestion_packet_file_digest';

/** The metadata that ties our own validation batch to its ingestion packet file, under our signature. */
export function ownValidationMetadata(ingestionPacketFileDigest: Uint8Array): Record<string, string> {
  return { [INGESTION_DIGEST]: Buffer.from(ingestionPacketFileDigest).toString('hex') };
}

/** What intake told the peer about one ingestion batch, as far as it was a sound record of it. */
export interface OwnValidation {
  /** The message told for a packet UUID; none for packets that nothing was said about. */
  readonly messages: ReadonlyMap<string, VerificationMessage>;
  /** The header file. It names the digests of both packet files, so records with the same one are the same. */
  readonly headerFile: Uint8Array;
  /** The name under which it is signed. */
  readonly keyIdentifier: string;
}

/**
 * Our own validation batch, the record of what the peer was told. It must be signed by us, of the same header and from
 * the same packet file as the ingestion batch that is before us now.
 * @returns `undefined` if there is none: its `.sig` is written last, so without it the peer may not have been told
 * @throws OwnValidationContradicted if there is one and it is anything but sound
 */
export async function readOwnValidation(
  storage: Storage,
  keys: BatchKeys,
  signingKey: SigningKey,
  ingestion: Pick<SignedBatch<IngestionHeader, unknown>, 'header' | 'packetFileDigest'>,
  signal?: AbortSignal,
): Promise<OwnValidation | undefined> {
  const place = `our own validation batch ${keys.header} in ${storage.url}`;
  const contradicted = (why: string): never => {
    throw new OwnValidationContradicted(`${place} ${why}`);
  };
  const record = await readRecord(storage, keys, signingKey, place, signal);
  if (!record) return undefined;
  const differing = differingFields(record.header, ingestion.header);
  if (differing.length > 0) contradicted(`differs from the ingestion header in ${differing.join(', ')}`);
  const digest = record.headerMetadata.get(INGESTION_DIGEST)?.toString();
  if (digest !== ingestion.packetFileDigest.toString('hex')) {
    contradicted(`was made from another ingestion packet file (SHA-256 ${digest ?? 'not recorded'})`);
  }
  const messages = new Map<string, VerificationMessage>();
  for (const { uuid, f_r, g_r, h_r } of record.packets()) {
    // We only ever write unsigned 32-bit integers; anything else will differ from what is recomputed.
    if (!messages.has(uuid)) messages.set(uuid, { f_r: Number(f_r), g_r: Number(g_r), h_r: Number(h_r) });
  }
  return { messages, headerFile: record.headerFile, keyIdentifier: record.keyIdentifier };
}

async function readRecord(
  storage: Storage,
  keys: BatchKeys,
  signingKey: SigningKey,
  place: string,
  signal?: AbortSignal,
): Promise<SignedBatch<ValidationHeader, ValidationPacket> | undefined> {
  const source = { storage, keys, headerType: validationHeader, packetType: validationPacket };
  try {
    if (!(await hasObject(storage, keys.signature, { signal }))) return undefined;
    return await readBatch(source, { keys: soleKey(signingKey.publicKey, 'our own') }, signal);
  } catch (err) {
    if (fateOf(err) === 'reject') throw new OwnValidationContradicted(`${place} is unsound`, { cause: err });
    throw err;
  }
}

/** The UUID of a packet about which the peer was told something else than is right now, if there is one. */
export function firstDifference(
  told: ReadonlyMap<string, VerificationMessage>,
  now: ReadonlyMap<string, VerificationMessage | undefined>,
): string | undefined {
  return [...new Set([...told.keys(), ...now.keys()])].find((uuid) => !isSame(told.get(uuid), now.get(uuid)));
}

function isSame(a: VerificationMessage | undefined, b: VerificationMessage | undefined): boolean {
  return a?.f_r === b?.f_r && a?.g_r === b?.g_r && a?.h_r === b?.h_r;
}
