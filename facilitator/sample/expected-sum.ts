import { breathe, PACKETS_PER_BREATH } from '../../common/runtime/breathe.ts';
import { sampleData } from './sample-data.ts';

/**
 * What sample batches add up to. docs/protocol.md, "Samples".
 * @param batchIds canonical UUIDs
 * @param packetCount packets in each batch
 * @param bins 1 to 256
 * @returns a sum for each bin
 */
export async function expectedSum(
  batchIds: readonly string[],
  packetCount: number,
  bins: number,
  signal?: AbortSignal,
): Promise<number[]> {
  const sum = Array.from({ length: bins }, () => 0);
  for (const id of batchIds) {
    for (let n = 0; n < packetCount; n++) {
      if (n % PACKETS_PER_BREATH === 0) await breathe(signal);
      // `sampleData` gives as many bits as there are bins.
      sampleData(id, n, bins).forEach((bit, bin) => (sum[bin]! += bit));
    }
  }
  return sum;
}
