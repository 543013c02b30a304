import { openBatch, type BatchSource, type BatchTrust, type OpenBatch } from './batch/open-batch.ts';
import { DigestMismatch, SignatureInvalid } from './errors.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Whose batch it is. */
export type Party = 'ingestion' | 'peer';

const INVALID = {
  ingestion: 'facilitator_invalid_ingestion_validation_batches',
  peer: 'facilitator_invalid_peer_validation_batches',
} as const;

/** As `openBatch`, counting the uses of keys, and signatures that do not verify, permitted or not. */
export async function openPartyBatch<H extends { readonly packet_file_digest: Uint8Array }>(
  party: Party,
  source: BatchSource<H>,
  trust: BatchTrust,
  metrics: Metrics,
  signal?: AbortSignal,
): Promise<OpenBatch<H>> {
  const { onMalformed } = trust;
  const onCounted = (err: SignatureInvalid | DigestMismatch): void => {
    countInvalid(party, err, metrics);
    onMalformed?.(err);
  };
  try {
    const batch = await openBatch(source, onMalformed ? { ...trust, onMalformed: onCounted } : trust, signal);
    // A key that was found, so that the number of identifiers is bounded by that of the party's keys.
    metrics.increment('facilitator_key_uses_total', { use: `verify_${party}`, key_id: batch.keyIdentifier });
    return batch;
  } catch (err) {
    countInvalid(party, err, metrics);
    throw err;
  }
}

/** Counts a signature or digest that does not verify; to be called for what reading the packets fails with. */
export function countInvalid(party: Party, err: unknown, metrics: Metrics): void {
  if (err instanceof SignatureInvalid) metrics.increment(INVALID[party], { reason: 'header' });
  if (err instanceof DigestMismatch) metrics.increment(INVALID[party], { reason: 'packet_file' });
}
