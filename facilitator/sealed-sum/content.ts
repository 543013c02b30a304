import { UUID_BYTES } from '../../common/domain/uuid.ts';
import type { LeftOutPackets } from '../join/own-block.ts';
import { P } from '../prio/field.ts';
import { MAX_BINS } from '../prio/layout.ts';

/** Bytes of a SHA-256. */
export const DIGEST_LENGTH = 32;

const MAX_U32 = 0xffffffff;

/** What a sealed sum says about a batch. Positions are those of packets in the ingestion file, from 0. */
export interface SealedSumContent {
  readonly bins: number;
  /** In the ingestion file, repeats and all. */
  readonly packets: number;
  /** `bins` field elements: the shares of the first packets of their UUIDs, as far as those have a validation packet. */
  readonly sum: Uint32Array;
  readonly leftOut: LeftOutPackets;
  /** Positions of packets whose UUID came before, with or without a validation packet, ascending. */
  readonly repeats: Uint32Array;
  /** Bytes of all encrypted payloads. */
  readonly payloadBytes: number;
  /** SHA-256 of the packet file of our own validation batch, 32 bytes: the one that was written beside this sum. */
  readonly validationDigest: Uint8Array;
}

/** Why this is no content of a sealed sum, `undefined` if it is one. */
export function contentFault(content: SealedSumContent): string | undefined {
  const { bins, packets, sum, leftOut, repeats, payloadBytes, validationDigest } = content;
  if (!isIntegerIn(bins, 1, MAX_BINS)) return `${bins} bins`;
  if (!isIntegerIn(packets, 1, MAX_U32)) return `${packets} packets`;
  if (!isIntegerIn(payloadBytes, 0, Number.MAX_SAFE_INTEGER)) return `${payloadBytes} bytes of payloads`;
  if (validationDigest.length !== DIGEST_LENGTH) return `a digest of ${validationDigest.length} bytes`;
  if (sum.length !== bins) return `a sum of ${sum.length} elements for ${bins} bins`;
  if (!sum.every((element) => element < P)) return `an element of the sum is not below ${P}`;
  if (leftOut.uuids.length !== UUID_BYTES * leftOut.positions.length) return 'not one UUID for each packet left out';
  if (!isAscending(leftOut.positions, packets)) return `positions of packets left out do not ascend below ${packets}`;
  if (!isAscending(repeats, packets)) return `positions of repeats do not ascend below ${packets}`;
  // Nothing came before the first packet.
  if (repeats[0] === 0) return 'the first packet is a repeat';
  return undefined;
}

function isIntegerIn(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function isAscending(positions: Uint32Array, end: number): boolean {
  let least = 0;
  for (const position of positions) {
    if (position < least || position >= end) return false;
    least = position + 1;
  }
  return true;
}
