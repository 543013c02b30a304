import type { BlockFormat, RecordBlock } from '../codec/record-block.ts';

/** Some whole blocks of a packet file, one after the other: the unit of work that is handed to a thread. */
export interface PacketChunk {
  readonly format: BlockFormat;
  readonly blocks: readonly RecordBlock[];
}

/** A chunk ends with the block that fills it up to this: some 10 to 30 ms of work for packets of 20 bins. */
const CHUNK_BYTES = 128 * 1024;

/** Gathers the blocks of a file into chunks; no chunk is empty. */
export async function* inChunks(format: BlockFormat, blocks: AsyncIterable<RecordBlock>): AsyncGenerator<PacketChunk> {
  let gathered: RecordBlock[] = [];
  let bytes = 0;
  for await (const block of blocks) {
    gathered.push(block);
    bytes += block.bytes.length;
    if (bytes < CHUNK_BYTES) continue;
    yield { format, blocks: gathered };
    gathered = [];
    bytes = 0;
  }
  if (gathered.length > 0) yield { format, blocks: gathered };
}
