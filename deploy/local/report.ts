import type { StageResult } from './stage.ts';

/** What one aggregation came to. */
export interface AggregationResult {
  readonly aggregationId: string;
  readonly histogram: readonly number[];
  readonly expected: readonly number[];
  readonly batches: number;
  /** Packets that the ingestion server sent, each as two shares. */
  readonly packetsIn: number;
  readonly packetsSummed: number;
}

export const agrees = ({ histogram, expected }: Pick<AggregationResult, 'histogram' | 'expected'>): boolean =>
  histogram.length === expected.length && histogram.every((count, bin) => count === expected[bin]);

const BAR_WIDTH = 40;

/** The report of a whole run, for people. */
export function report(
  results: readonly AggregationResult[],
  stages: readonly StageResult[],
  sumsEqualReference: boolean,
): string {
  const lines = results.flatMap((result) => ['', ...describeAggregation(result)]);
  lines.push('', 'seconds per stage');
  for (const { name, seconds, skipped } of stages) {
    lines.push(
      `  ${name.padEnd(28)} ${seconds.toFixed(2).padStart(7)}${skipped > 0 ? `  (${skipped} done before)` : ''}`,
    );
  }
  lines.push('', `sums equal the reference: ${sumsEqualReference ? 'yes' : 'no'}`);
  return `${lines.join('\n')}\n`;
}

function describeAggregation(result: AggregationResult): string[] {
  const { aggregationId, histogram, expected, batches, packetsIn, packetsSummed } = result;
  const most = Math.max(1, ...histogram);
  const rows = histogram.map((count, bin) => {
    const bar = '█'.repeat(Math.round((BAR_WIDTH * count) / most));
    const wrong = count === expected[bin] ? '' : `  should be ${expected[bin]}`;
    return `  ${String(bin).padStart(4)} ${String(count).padStart(10)} ${bar}${wrong}`;
  });
  return [
    `${aggregationId}: ${batches} batches, ${packetsIn} packets in, ${packetsIn - packetsSummed} rejected`,
    ...rows,
  ];
}
