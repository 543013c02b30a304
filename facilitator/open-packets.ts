import type { PacketFile } from './batch/packet-file.ts';
import type { PacketStream } from './batch/packet-stream.ts';
import { OwnValidationContradicted } from './errors.ts';
import { ToldMessages } from './join/told-messages.ts';
import { isPacketFailure, openInOrder, type OpenedChunk } from './packets/in-order.ts';
import { inChunks, type PacketChunk } from './packets/packet-chunk.ts';
import type { BatchContext, OpenedPackets, PacketEngine } from './packets/packet-engine.ts';
import type { OpeningTally } from './packet-tally.ts';
import { accumulate, takeAway } from './prio/sum.ts';

/** All that is learned by opening the packets of a batch. */
export interface OpenedBatch {
  /** What the peer is to be told. */
  readonly told: ToldMessages;
  /** `bins` field elements: the data of the first packets of their UUIDs, as far as there is a message about them. */
  readonly sum: Uint32Array;
  /** Bytes of all encrypted payloads. */
  readonly payloadBytes: number;
  /** SHA-256 of the packet file as it was read. */
  readonly packetFileDigest: Buffer;
}

export interface PacketOpening {
  readonly context: BatchContext;
  readonly engine: PacketEngine;
  /** Counts also what was done before a failure. */
  readonly tally: OpeningTally;
}

/**
 * Opens every packet of a batch, repeats too, since one that cannot be opened spoils the batch. Reads, decrypts and
 * evaluates side by side; in memory it holds some chunks, and 30 to 40 bytes for each packet.
 * @throws as `PacketFile.open` and `openInOrder`
 */
export async function openPackets(
  file: PacketFile,
  opening: PacketOpening,
  signal?: AbortSignal,
): Promise<OpenedBatch> {
  const { context, engine, tally } = opening;
  await using stream = await file.open(signal);
  const told = new ToldMessages();
  const sum = new Uint32Array(context.bins);
  let payloadBytes = 0;
  for await (const { chunk, opened } of openStream(stream, opening, signal)) {
    tally.addKeyUses(opened.keyUses);
    payloadBytes += opened.payloadBytes;
    const repeats = told.addBlock(opened);
    accumulate(sum, opened.sum);
    const twice = summedRepeats(repeats, opened);
    if (twice.length > 0) takeAway(sum, (await engine.sumOf(chunk, twice, context)).sum);
  }
  return { told, sum, payloadBytes, packetFileDigest: stream.digest };
}

async function* openStream(
  stream: PacketStream,
  { context, engine, tally }: PacketOpening,
  signal?: AbortSignal,
): AsyncGenerator<OpenedChunk> {
  const chunks = counted(inChunks(stream.format, stream.blocks), tally);
  try {
    yield* openInOrder(chunks, context, engine, signal);
  } catch (err) {
    await stream.fail(err);
  }
}

async function* counted(chunks: AsyncIterable<PacketChunk>, tally: OpeningTally): AsyncGenerator<PacketChunk> {
  for await (const chunk of chunks) {
    tally.packets += packetsIn(chunk);
    yield chunk;
  }
}

function packetsIn({ blocks }: PacketChunk): number {
  return blocks.reduce((total, { count }) => total + count, 0);
}

/** The positions within the chunk of packets that are in its sum, though they are in that of the batch already. */
function summedRepeats(repeats: Uint8Array, { told }: OpenedPackets): Uint32Array {
  const positions: number[] = [];
  repeats.forEach((isRepeat, position) => {
    if (isRepeat === 1 && told[position] === 1) positions.push(position);
  });
  return Uint32Array.from(positions);
}

/** Some packets of a batch that was opened before, by us or somebody else. */
export interface PacketsBefore {
  /** In the file, ascending, from 0. */
  readonly positions: Uint32Array;
  /** What was told about them: `f_r`, `g_r`, `h_r` of each in turn. */
  readonly messages: Uint32Array;
  /** SHA-256 of the packet file. */
  readonly packetFileDigest: Uint8Array;
}

/**
 * The sum of the data of some packets of a batch that was opened before; as it was then, which their messages prove.
 * @throws OwnValidationContradicted if they open to something else, or do not open, with the keys of now
 * @throws StorageUnavailable if the file is not the same any more
 */
export async function sumAt(
  file: PacketFile,
  { positions, messages, packetFileDigest }: PacketsBefore,
  { context, engine }: Pick<PacketOpening, 'context' | 'engine'>,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  await using stream = await file.openAgain(packetFileDigest, signal);
  const sum = new Uint32Array(context.bins);
  let done = 0;
  let first = 0;
  try {
    for await (const chunk of inChunks(stream.format, stream.blocks)) {
      signal?.throwIfAborted();
      const end = first + packetsIn(chunk);
      const inChunk = positions.subarray(done).filter((position) => position < end);
      if (inChunk.length > 0) {
        const rows = inChunk.map((position) => position - first);
        const again = await engine.sumOf(chunk, rows, context);
        requireSame(again.messages, messages.subarray(3 * done, 3 * (done + inChunk.length)));
        accumulate(sum, again.sum);
      }
      done += inChunk.length;
      first = end;
    }
  } catch (err) {
    if (isPacketFailure(err)) throw contradicted({ cause: err });
    await stream.fail(err);
  }
  if (done < positions.length) throw contradicted();
  return sum;
}

function requireSame(now: Uint32Array, told: Uint32Array): void {
  if (!now.every((value, i) => value === told[i])) throw contradicted();
}

function contradicted(options?: ErrorOptions): OwnValidationContradicted {
  return new OwnValidationContradicted(
    'a packet that is to be taken out of the sum does not open to what the peer was told; were the packet decryption keys changed or reordered?',
    options,
  );
}
