import type { BatchId } from '../../common/domain/batch-path.ts';
import { MINUTE_MS, type Interval } from '../../common/domain/interval.ts';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import { latestDueWindow } from './windows.ts';

export interface LoadOptions {
  readonly aggregations: number;
  /** In all aggregations together, like `packets`. */
  readonly batches: number;
  readonly packets: number;
  readonly bins: number;
}

export interface PlannedBatch extends BatchId {
  readonly packets: number;
}

export interface PlannedAggregation {
  readonly id: string;
  readonly window: Interval;
  readonly batches: readonly PlannedBatch[];
}

/**
 * Spreads batches over aggregations and packets over batches, as evenly as whole numbers allow. All batches lie in
 * the latest window that is due.
 */
export function planLoad(
  options: LoadOptions,
  now: Date,
  random: (length: number) => Uint8Array,
): PlannedAggregation[] {
  const window = latestDueWindow(now);
  const packets = shares(options.packets, options.batches);
  return shares(options.batches, options.aggregations).map((count, index) => ({
    id: `sample-${index + 1}`,
    window,
    batches: packets.splice(0, count).map((packetCount, i) => ({
      id: formatUuidV4(random(16)),
      time: new Date(window.begin.getTime() + (i % 60) * MINUTE_MS),
      packets: packetCount,
    })),
  }));
}

/** `total` in `parts` whole numbers that differ by at most 1. */
function shares(total: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_, i) => Math.floor(((i + 1) * total) / parts) - Math.floor((i * total) / parts),
  );
}

/** For lines of text. */
export function describeLoad({ aggregations, batches, packets, bins }: LoadOptions): string {
  return `${aggregations} aggregations, ${batches} batches, ${packets} packets of ${bins} bins`;
}

/** The arguments that name a batch in `aggregate`. */
export function batchArguments(batches: readonly BatchId[]): string[] {
  return batches.flatMap(({ id, time }) => ['--batch-id', id, '--batch-time', formatBatchTime(time)]);
}
