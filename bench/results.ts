import type { Marginal, Round } from './statistics.ts';
import type { PacketWork } from './sizes.ts';

/** What was measured: one of our programs under a Node, or the peer. */
export interface Subject {
  /** As tables name it: `Node 20.20.2`, `Node 20.20.2, 2 threads`, `peer`. */
  readonly name: string;
  /** Of Node; the peer has none. */
  readonly version?: string;
  /** Of those that open packets; by default what the programs do. */
  readonly threads?: number | undefined;
}

/** All rounds of one subject at one kind of work. */
export interface Series {
  readonly work: PacketWork;
  readonly bins: number;
  readonly subject: Subject;
  readonly rounds: readonly Round[];
  readonly marginals: readonly Marginal[];
}

/** The ECDH call alone, measured in every round of intake. */
export interface Floor {
  readonly bins: number;
  readonly subject: Subject;
  /** Microseconds of processor time, a value a round. */
  readonly us: readonly number[];
}

/** Milliseconds, a value a run. */
export interface StartUp {
  readonly what: string;
  readonly subject: Subject;
  readonly wallMs: readonly number[];
  /** Of the whole process, user and system: unlike `wallMs` hardly longer where others are busy. */
  readonly cpuMs: readonly number[];
  readonly firstLogLineMs: readonly number[];
  readonly peakMiB: readonly number[];
}

/** The most memory that a process had. */
export interface Peak {
  readonly what: string;
  readonly subject: Subject;
  /** Resident. */
  readonly peakMiB: number;
  /** What we promise, in 10^6 bytes. */
  readonly limitMb: number;
}

/** A line of the publisher's benchmark. */
export interface PublisherRun {
  readonly cloud: string;
  readonly what: string;
  readonly cpuS: number;
  readonly wallS: number;
  readonly peakMiB: number;
}

export interface Versions {
  readonly ours: string;
  readonly nodes: readonly { readonly version: string; readonly openssl: string }[];
  readonly openssl?: string;
  readonly peer?: string;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
}

/** Everything that a run of the benchmarks found. */
export interface Results {
  readonly machine: Machine;
  readonly versions: Versions;
  readonly server: string;
  readonly series: readonly Series[];
  readonly floors: readonly Floor[];
  /** Microseconds that `openssl speed` tells for an ECDH. */
  readonly opensslUs?: number;
  /** Intake with one thread and with two, apart from `series` as no peer took its turn beside them. */
  readonly scaling: readonly Series[];
  readonly peaks: readonly Peak[];
  readonly startUps: readonly StartUp[];
  readonly publisher: readonly PublisherRun[];
}

export const PEER: Subject = { name: 'peer' };
