import type { BatchKeys } from '../../common/domain/batch-path.ts';
import { fateOf, ObjectMissing } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { SumPart } from '../codec/records.ts';
import { invalidPacket, sumPart } from '../codec/record-types.ts';
import { soleKey } from '../crypto/key-source.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { SignatureInvalid, SumPartContradicted } from '../errors.ts';
import { encodeBatch, type EncodedBatch } from './encode-batch.ts';
import { readBatch } from './read-batch.ts';

/** A sum part, signed or not. */
export interface SumPartContent {
  readonly header: SumPart;
  /** In the order in which they were found. */
  readonly invalidUuids: readonly string[];
}

/** A sum part with the files that make it up. */
export interface EncodedSumPart extends SumPartContent {
  readonly keys: BatchKeys;
  readonly files: EncodedBatch;
}

/** Encodes and signs a sum part under the keys that it will have at the portal. */
export function encodeSumPart(
  keys: BatchKeys,
  header: Omit<SumPart, 'packet_file_digest'>,
  invalidUuids: readonly string[],
  signingKey: SigningKey,
): EncodedSumPart {
  let whole: SumPart | undefined;
  const content = {
    headerType: sumPart,
    header: (packetFileDigest: Buffer): SumPart => (whole = { ...header, packet_file_digest: packetFileDigest }),
    packetType: invalidPacket,
    packets: invalidUuids.map((uuid) => ({ uuid })),
  };
  const files = encodeBatch(keys, content, signingKey);
  // `encodeBatch` has called `header`, since there is no header file without one.
  return { keys, header: whole!, invalidUuids, files };
}

/** A sum part as it was found in a storage. */
export interface StoredSumPart extends SumPartContent {
  /** The name of the key that it is signed under, if that is not our present one, so that nobody here can verify it. */
  readonly unverifiedKey: string | undefined;
}

/**
 * Reads a sum part of our own. The packet file must be the one that the header describes, and the signature must verify
 * under our present key, unless it names another one: keys change, and sum parts stay.
 * @throws SumPartContradicted if it is not whole and sound
 */
export async function readSumPart(
  storage: Storage,
  keys: BatchKeys,
  signingKey: SigningKey,
  signal?: AbortSignal,
): Promise<StoredSumPart> {
  const source = { storage, keys, headerType: sumPart, packetType: invalidPacket };
  let invalidSignature: SignatureInvalid | undefined;
  const trust = {
    keys: soleKey(signingKey.publicKey, 'our own'),
    onMalformed: (error: Error) => {
      if (!(error instanceof SignatureInvalid)) throw error;
      invalidSignature = error;
    },
  };
  try {
    const { header, packets, keyIdentifier } = await readBatch(source, trust, signal);
    if (invalidSignature && keyIdentifier === signingKey.identifier) throw invalidSignature;
    const unverifiedKey = invalidSignature && keyIdentifier;
    return { header, invalidUuids: [...packets()].map(({ uuid }) => uuid), unverifiedKey };
  } catch (cause) {
    if (fateOf(cause) !== 'reject' && !(cause instanceof ObjectMissing)) throw cause;
    throw new SumPartContradicted(
      `there is a sum part ${keys.signature} in ${storage.url} already, but it is not whole and sound, so that nobody can tell whether it is the one computed now`,
      { cause },
    );
  }
}

/** The names of the fields in which two sum parts differ; `invalid packets` stands for the list of their UUIDs. */
export function differencesOf(a: SumPartContent, b: SumPartContent): string[] {
  const fields = Object.keys(sumPart.shapes) as (keyof SumPart)[];
  const differing: string[] = fields.filter((field) => !isSame(a.header[field], b.header[field]));
  if (!isSame(a.invalidUuids, b.invalidUuids)) differing.push('invalid packets');
  return differing;
}

/** Longs may be read as numbers or as bigints, whichever holds them, so values are compared as text. */
function isSame(a: Value, b: Value): boolean {
  return asText(a) === asText(b);
}

type Value = SumPart[keyof SumPart];

const asText = (value: Value): string =>
  typeof value === 'object' && value !== null ? Array.from<unknown>(value).join() : String(value);
