import { UUID_BYTES } from '../../common/domain/uuid.ts';
import { checkDataShares, decodeDataShares } from '../codec/data-share-block.ts';
import type { PacketChunk } from './packet-chunk.ts';

/** The packets of a chunk, in file order. */
export interface ChunkPackets {
  /** 16 bytes each, in network order. */
  readonly uuids: Uint8Array;
  /** Still encrypted; views of the chunk, or of memory that is theirs. */
  readonly payloads: readonly Uint8Array[];
  /** Any integers. */
  readonly rPits: Float64Array;
}

/**
 * All of a chunk, so that an unsound block is what is reported, whatever the packets are.
 * @throws as `PacketEngine.check`
 */
export function decodeChunk({ format, blocks }: PacketChunk): ChunkPackets {
  const decoded = blocks.map((block) => decodeDataShares(format, block));
  const packets = decoded.reduce((total, { count }) => total + count, 0);
  const uuids = new Uint8Array(UUID_BYTES * packets);
  const rPits = new Float64Array(packets);
  const payloads: Uint8Array[] = [];
  for (const { count, bytes, payloadStarts, payloadEnds, ...block } of decoded) {
    uuids.set(block.uuids.subarray(0, UUID_BYTES * count), UUID_BYTES * payloads.length);
    rPits.set(block.rPits.subarray(0, count), payloads.length);
    for (let row = 0; row < count; row++) payloads.push(bytes.subarray(payloadStarts[row], payloadEnds[row]));
  }
  return { uuids, payloads, rPits };
}

/** @throws as `PacketEngine.check` */
export function checkChunk({ format, blocks }: PacketChunk): void {
  for (const block of blocks) checkDataShares(format, block);
}
