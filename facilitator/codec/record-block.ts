import type { Codec } from './inflate.ts';

/** One block of an Avro object container file, as it lies in the file. */
export interface RecordBlock {
  /** Records in it, as the file says. */
  readonly count: number;
  /** Possibly compressed. */
  readonly bytes: Uint8Array;
  /** Where `bytes` begins in the file, for messages. */
  readonly position: number;
}

/** What all blocks of a file have in common. */
export interface BlockFormat {
  /** The writer's schema: JSON as it stands in the file. */
  readonly schema: Uint8Array;
  readonly codec: Codec;
}

/** Data share packets of a block, in file order; without what intake does not look at. */
export interface DataShareBlock {
  readonly count: number;
  /** 16 bytes each. */
  readonly uuids: Uint8Array;
  /** What the payloads are in. */
  readonly bytes: Uint8Array;
  /** Where in `bytes` the payload of each begins … */
  readonly payloadStarts: Uint32Array;
  /** … and ends. */
  readonly payloadEnds: Uint32Array;
  /** As doubles, hence rounded beyond 2^53: good to see that one is no unsigned 32-bit integer, and to say so. */
  readonly rPits: Float64Array;
}

/** Validation packets of a block, in file order. */
export interface ValidationBlock {
  readonly count: number;
  /** 16 bytes each. */
  readonly uuids: Uint8Array;
  /** `f_r`, `g_r`, `h_r` of each in turn; zeros where `inRange` is 0. Below 2^32, not necessarily below p. */
  readonly messages: Uint32Array;
  /** A byte each: 1 if all three values are unsigned 32-bit integers, else 0. */
  readonly inRange: Uint8Array;
}

/** Validation packets to be written, in order. */
export type MessageBlock = Pick<ValidationBlock, 'count' | 'uuids' | 'messages'>;
