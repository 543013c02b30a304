import { createHash } from 'node:crypto';
import { readRecords } from '../codec/read.ts';
import type { RecordType } from '../codec/record-types.ts';
import { openBatch, type BatchSource, type BatchTrust, type OpenBatch } from './open-batch.ts';

/** A batch whose signature, digest and Avro are in order, as far as they had to be. */
export interface SignedBatch<H, P> extends OpenBatch<H> {
  /** SHA-256 of the packet file as it was read, whatever the header states. */
  readonly packetFileDigest: Buffer;
  readonly packetCount: number;
  /** The packets in file order, decoded anew at each call so that they need not all be in memory. */
  readonly packets: () => Iterable<P>;
}

/**
 * Reads a batch as a whole, for those that are small, and checks, in this order, signature, header, digest and packets.
 * docs/protocol.md, "Reading a batch".
 * @throws as `openBatch` and `PacketFile.read`
 */
export async function readBatch<H extends { readonly packet_file_digest: Uint8Array }, P>(
  source: BatchSource<H> & { readonly packetType: RecordType<P> },
  trust: BatchTrust,
  signal?: AbortSignal,
): Promise<SignedBatch<H, P>> {
  const batch = await openBatch(source, trust, signal);
  const { bytes, digest } = await batch.packetFile.bytes(signal);
  return {
    ...batch,
    packetFileDigest: digest,
    packetCount: countRecords(source.packetType, bytes),
    packets: () => readRecords(source.packetType, bytes),
  };
}

/** Decodes everything once, so that a corrupt file is found before the first packet is used. */
function countRecords<P>(type: RecordType<P>, file: Uint8Array): number {
  let count = 0;
  for (const _ of readRecords(type, file)) count++;
  return count;
}

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
