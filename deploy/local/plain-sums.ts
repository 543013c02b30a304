import { sampleData } from '../../facilitator/sample/sample-data.ts';
import type { PlannedAggregation } from './plan.ts';

/** The histogram of an aggregation's plain data, by ordinary addition: no share, no field, no cryptography. */
export function plainSum(aggregation: PlannedAggregation, bins: number): number[] {
  const sum = Array.from({ length: bins }, () => 0);
  for (const batch of aggregation.batches) {
    for (let n = 0; n < batch.packets; n++) {
      for (const [bin, bit] of sampleData(batch.id, n, bins).entries()) sum[bin]! += bit;
    }
  }
  return sum;
}
