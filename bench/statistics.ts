/** What repeated measurements of one thing came to. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws RangeError if there are no values */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values have no median');
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index]!; // below: from 0 to length - 1
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  };
}

/** Processor and wall time that a process took for a number of packets, and the most memory that it had. */
export interface Sample {
  readonly packets: number;
  /** User and system, of all threads. */
  readonly cpuMs: number;
  /** The part of `cpuMs` in which packets’ keys are agreed on; `undefined` if nobody told it. */
  readonly ecdhMs?: number | undefined;
  readonly wallMs: number;
  /** Resident. */
  readonly peakMiB: number;
}

/** Two samples that were taken one after the other and differ in the number of packets. */
export interface Round {
  readonly small: Sample;
  readonly large: Sample;
}

/** What is measured of everything, the peer too. */
export type MarginalTime = 'cpuUs' | 'wallUs';

/** Microseconds for each further packet. */
export interface Marginal {
  readonly cpuUs: number;
  /** The part of `cpuUs` in which keys are agreed on; absent if that was not told. */
  readonly ecdhUs?: number;
  readonly wallUs: number;
}

/**
 * The slope between the two samples, so that whatever a process takes to start and to end does not count.
 * @throws RangeError if they have equally many packets
 */
export function marginalOf({ small, large }: Round): Marginal {
  const packets = large.packets - small.packets;
  if (packets <= 0) throw new RangeError(`${small.packets} and ${large.packets} packets have no slope`);
  const slopeUs = (smallMs: number, largeMs: number): number => (1000 * (largeMs - smallMs)) / packets;
  return {
    cpuUs: slopeUs(small.cpuMs, large.cpuMs),
    wallUs: slopeUs(small.wallMs, large.wallMs),
    ...(small.ecdhMs === undefined || large.ecdhMs === undefined
      ? {}
      : { ecdhUs: slopeUs(small.ecdhMs, large.ecdhMs) }),
  };
}

/** Both costs one after the other, round by round. */
export function sumOf(a: readonly Marginal[], b: readonly Marginal[]): Marginal[] {
  return inPairs(a, b, (x, y) => ({ cpuUs: x.cpuUs + y.cpuUs, wallUs: x.wallUs + y.wallUs }));
}

/**
 * `a` as multiples of `b`, round by round: what slows a machine down for a while slows both sides of a round, so that
 * ratios are steadier than times.
 */
export function ratiosOf(a: readonly Marginal[], b: readonly Marginal[], time: MarginalTime): number[] {
  return inPairs(a, b, (x, y) => x[time] / y[time]);
}

function inPairs<A, B, R>(a: readonly A[], b: readonly B[], join: (x: A, y: B) => R): R[] {
  if (a.length !== b.length) throw new RangeError(`${a.length} rounds cannot be paired with ${b.length}`);
  return a.map((x, i) => join(x, b[i]!)); // of the same length
}
