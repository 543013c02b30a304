import { createHash } from 'node:crypto';
import { uuidBytes } from '../../common/domain/uuid.ts';

/** SHA-512/256 gives this many bits, one a bin. */
export const MAX_SAMPLE_BINS = 256;

/**
 * The data of packet `n` (from 0) of a sample batch: bit k of SHA-512/256(batch UUID ‖ n as 64 bits big-endian), most
 * significant bit first. Anyone who knows the batch's UUID can thus tell the sum. docs/protocol.md, "Samples".
 * @param batchId canonical UUID
 * @param bins 1 to 256
 * @returns `bins` zeros and ones
 */
export function sampleData(batchId: string, n: number, bins: number): Uint8Array {
  const index = Buffer.alloc(8);
  index.writeBigUInt64BE(BigInt(n));
  const digest = createHash('sha512-256').update(uuidBytes(batchId)).update(index).digest();
  // bins <= 256, so k / 8 is below 32, the digest's length.
  return Uint8Array.from({ length: bins }, (_, k) => (digest[k >> 3]! >> (7 - (k & 7))) & 1);
}
