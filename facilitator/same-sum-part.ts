import type { Logger } from 'pino';
import type { BatchKeys } from '../common/domain/batch-path.ts';
import { fateOf } from '../common/errors.ts';
import type { Storage } from '../common/ports/storage.ts';
import { readObject } from '../common/runtime/read-object.ts';
import { differencesOf, readSumPart, type EncodedSumPart, type SumPartContent } from './batch/sum-part.ts';
import { readSingleRecord } from './codec/read.ts';
import { batchSignature } from './codec/record-types.ts';
import { isSignedBy, type SigningKey } from './crypto/signature.ts';
import { SumPartContradicted } from './errors.ts';

/** Batches named in a line of the log. */
const SHOWN_BATCHES = 10;

/**
 * Whether the `.sig` that is stored under `keys` is one of our header file, to the byte. Then our sum part is the one
 * that is published: the header names all else, down to the digest of the packet file.
 */
export async function isSignedAs(
  { files }: EncodedSumPart,
  storage: Storage,
  keys: BatchKeys,
  { publicKey }: SigningKey,
  signal?: AbortSignal,
): Promise<boolean> {
  const signature = await signatureIn(storage, keys, signal);
  return signature !== undefined && isSignedBy(files.headerFile, signature, publicKey);
}

/** The signature in a `.sig`; `undefined` if that is no signature file. @throws ObjectMissing */
export async function signatureIn(
  storage: Storage,
  keys: BatchKeys,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const file = await readObject(storage, keys.signature, { signal });
  try {
    return readSingleRecord(batchSignature, file).record.batch_header_signature;
  } catch (err) {
    if (fateOf(err) === 'reject') return undefined;
    throw err;
  }
}

/**
 * Holds a sum part against the one that is stored under `keys`, which may be signed by an earlier key of ours.
 * @throws SumPartContradicted unless every field and the list of invalid packets are the same
 */
export async function requireSame(
  part: EncodedSumPart,
  storage: Storage,
  keys: BatchKeys,
  { signingKey, log }: { readonly signingKey: SigningKey; readonly log: Logger },
  signal?: AbortSignal,
): Promise<void> {
  const stored = await readSumPart(storage, keys, signingKey, signal);
  const differing = differencesOf(stored, part);
  const place = { object: keys.signature, storage: storage.url };
  if (differing.length > 0) {
    log.error(
      { ...place, fields: differing, ...batchesOf(stored, part), there: figuresOf(stored), computed: figuresOf(part) },
      'another sum part than the one computed now is there already; it stays',
    );
    throw new SumPartContradicted(
      `the sum part ${keys.signature} in ${storage.url} differs from the one computed now in ${differing.join(', ')}; it stays as it is`,
    );
  }
  if (stored.unverifiedKey !== undefined) {
    log.warn(
      { ...place, key_identifier: stored.unverifiedKey },
      'sum part is signed under an earlier key, so that only its content was compared',
    );
  }
}

/** Figures that every reader of a sum part sees; sums are left out, since two of them say more than one. */
const figuresOf = ({ header, invalidUuids }: SumPartContent): Readonly<Record<string, number>> => ({
  batches: header.batch_uuids.length,
  packets: Number(header.total_individual_clients),
  invalid_packets: invalidUuids.length,
});

function batchesOf(stored: SumPartContent, computed: SumPartContent): Readonly<Record<string, string[]>> {
  const without = (a: SumPartContent, b: SumPartContent): string[] => {
    const others = new Set(b.header.batch_uuids);
    return a.header.batch_uuids.filter((uuid) => !others.has(uuid)).slice(0, SHOWN_BATCHES);
  };
  return { batches_only_there: without(stored, computed), batches_only_computed: without(computed, stored) };
}
