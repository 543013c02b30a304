/** Numbers of packets of a round. */
export interface Sizes {
  readonly small: number;
  readonly large: number;
}

/** What is done with packets, in the order of the data flow. */
export const PACKET_WORK = ['intake', 'aggregate'] as const;
export type PacketWork = (typeof PACKET_WORK)[number];

/** For whom sizes are: a process of ours, or the peer, which has no cheap way to aggregate. */
export type Side = 'ours' | 'peer';

const SMALL_PART = 5;

/** Enough that each round takes seconds, and start-up is a small part of them. */
const LARGE: readonly { readonly maxBins: number; readonly intake: number; readonly aggregate: number }[] = [
  { maxBins: 100, intake: 100_000, aggregate: 1_000_000 },
  { maxBins: 1000, intake: 50_000, aggregate: 1_000_000 },
  { maxBins: Infinity, intake: 10_000, aggregate: 100_000 },
];

/** @param packets the larger number in all rounds; without it as many as the bins allow */
export function sizesOf(work: PacketWork, side: Side, bins: number, packets: number | undefined): Sizes {
  // The last entry covers all bins.
  const entry = LARGE.find(({ maxBins }) => bins <= maxBins)!;
  const large = packets ?? entry[side === 'peer' ? 'intake' : work];
  return { small: Math.max(1, Math.floor(large / SMALL_PART)), large };
}
