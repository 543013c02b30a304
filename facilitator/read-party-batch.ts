import { readBatch, type BatchSource, type BatchTrust, type SignedBatch } from './batch/read-batch.ts';
import { DigestMismatch, SignatureInvalid } from './errors.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Whose batch it is. */
export type Party = 'ingestion' | 'peer';

const INVALID = {
  ingestion: 'facilitator_invalid_ingestion_validation_batches',
  peer: 'facilitator_invalid_peer_validation_batches',
} as const;

/** As `readBatch`, counting the uses of keys, and signatures and digests that do not verify, permitted or not. */
export async function readPartyBatch<H extends { readonly packet_file_digest: Uint8Array }, P>(
  party: Party,
  source: BatchSource<H, P>,
  trust: BatchTrust,
  metrics: Metrics,
  signal?: AbortSignal,
): Promise<SignedBatch<H, P>> {
  const countInvalid = (err: unknown): void => {
    if (err instanceof SignatureInvalid) metrics.increment(INVALID[party], { reason: 'header' });
    if (err instanceof DigestMismatch) metrics.increment(INVALID[party], { reason: 'packet_file' });
  };
  const { onMalformed } = trust;
  const onCounted = (err: SignatureInvalid | DigestMismatch): void => {
    countInvalid(err);
    onMalformed?.(err);
  };
  try {
    const batch = await readBatch(source, onMalformed ? { ...trust, onMalformed: onCounted } : trust, signal);
    // A key that was found, so that the number of identifiers is bounded by that of the party's keys.
    metrics.increment('facilitator_key_uses_total', { use: `verify_${party}`, key_id: batch.keyIdentifier });
    return batch;
  } catch (err) {
    countInvalid(err);
    throw err;
  }
}
