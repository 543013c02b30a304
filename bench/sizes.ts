/** Numbers of packets of a round. */
export interface Sizes {
  readonly small: number;
  readonly large: number;
}

/** What is done with packets, in the order of the data flow. */
export const PACKET_WORK = ['intake', 'aggregate'] as const;
export type PacketWork = (typeof PACKET_WORK)[number];

/** For whom sizes are: a process of ours, or the peer, which has no cheap way to aggregate: it decrypts again. */
export type Side = 'ours' | 'peer';

const SMALL_PART = 5;

interface LargeSizes {
  readonly maxBins: number;
  readonly intake: number;
  readonly aggregate: number;
  /** Fewer, as that takes the peer longer than intake, and nothing is compiled while it runs. */
  readonly peerAggregate: number;
}

/**
 * Enough that each round takes seconds, start-up is a small part of them, and the smaller batch has seen the end of what
 * V8 compiles meanwhile. Both sides take in the same batches: how fast a shared machine is changes within seconds, so a
 * side that was measured for a shorter time would have the more uncertain figure.
 */
const LARGE: readonly LargeSizes[] = [
  { maxBins: 100, intake: 500_000, aggregate: 1_000_000, peerAggregate: 100_000 },
  { maxBins: 1000, intake: 250_000, aggregate: 1_000_000, peerAggregate: 50_000 },
  { maxBins: Infinity, intake: 10_000, aggregate: 100_000, peerAggregate: 10_000 },
];

/** @param packets the larger number in all rounds; without it as many as the bins allow */
export function sizesOf(work: PacketWork, side: Side, bins: number, packets: number | undefined): Sizes {
  // The last entry covers all bins.
  const entry = LARGE.find(({ maxBins }) => bins <= maxBins)!;
  const large = packets ?? entry[side === 'peer' && work === 'aggregate' ? 'peerAggregate' : work];
  return { small: Math.max(1, Math.floor(large / SMALL_PART)), large };
}
