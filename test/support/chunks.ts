import { encodeFile } from '../../facilitator/codec/write.ts';
import { dataSharePacket } from '../../facilitator/codec/record-types.ts';
import type { DataSharePacket } from '../../facilitator/codec/records.ts';
import { openContainer } from '../../facilitator/codec/container-stream.ts';
import { inChunks, type PacketChunk } from '../../facilitator/packets/packet-chunk.ts';

/** Packets as the chunks of a file, each with as many as the file's writer put together. */
export async function chunksOf(packets: Iterable<DataSharePacket>): Promise<PacketChunk[]> {
  return chunksOfFile(encodeFile(dataSharePacket, packets, 'test'));
}

/** The chunks of an Avro file of data share packets. */
export async function chunksOfFile(file: Uint8Array): Promise<PacketChunk[]> {
  const container = await openContainer(once(file));
  return container ? collect(inChunks(container.header, container.blocks)) : [];
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
