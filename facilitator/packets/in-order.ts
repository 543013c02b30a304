import { PacketMalformed, PacketUndecryptable, RPitOutOfRange } from '../errors.ts';
import type { PacketChunk } from './packet-chunk.ts';
import type { BatchContext, OpenedPackets, PacketEngine } from './packet-engine.ts';

/** Chunks in hand for each thread: one that it works on, and one that waits for it. */
const CHUNKS_PER_THREAD = 2;

/** A chunk and what was learned from it. */
export interface OpenedChunk {
  readonly chunk: PacketChunk;
  readonly opened: OpenedPackets;
}

/**
 * Opens all packets of a file on all threads and gives the results in file order, so that everything that depends on
 * the order, and which error is reported, is as if they had been opened one after the other. A packet that does not
 * open is reported only at the end of the file: if the file itself is unsound, that comes first.
 * @throws what `chunks` throws, the Avro errors, RPitOutOfRange, PacketUndecryptable, PacketMalformed, the reason of `signal`
 */
export async function* openInOrder(
  chunks: AsyncIterable<PacketChunk>,
  context: BatchContext,
  engine: PacketEngine,
  signal?: AbortSignal,
): AsyncGenerator<OpenedChunk> {
  let packetFailure: { readonly error: unknown } | undefined;
  const work = (chunk: PacketChunk): Promise<OpenedPackets | undefined> =>
    packetFailure ? engine.check(chunk).then(() => undefined) : engine.open(chunk, context);
  for await (const { chunk, outcome } of sideBySide(chunks, work, engine.threads * CHUNKS_PER_THREAD)) {
    signal?.throwIfAborted();
    if ('value' in outcome) {
      if (outcome.value && !packetFailure) yield { chunk, opened: outcome.value };
    } else if (!isPacketFailure(outcome.error)) throw outcome.error;
    else packetFailure ??= outcome;
  }
  if (packetFailure) throw packetFailure.error;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

interface Settled<T> {
  readonly chunk: PacketChunk;
  readonly outcome: Outcome<T>;
}

/** Works on up to `limit` chunks at once, in their order. */
async function* sideBySide<T>(
  chunks: AsyncIterable<PacketChunk>,
  work: (chunk: PacketChunk) => Promise<T>,
  limit: number,
): AsyncGenerator<Settled<T>> {
  const inHand: Promise<Settled<T>>[] = [];
  for await (const chunk of chunks) {
    inHand.push(settle(chunk, work));
    // `limit` is at least 1, so that there is one.
    if (inHand.length >= limit) yield await inHand.shift()!;
  }
  for (const settled of inHand) yield await settled;
}

async function settle<T>(chunk: PacketChunk, work: (chunk: PacketChunk) => Promise<T>): Promise<Settled<T>> {
  try {
    return { chunk, outcome: { value: await work(chunk) } };
  } catch (error) {
    return { chunk, outcome: { error } };
  }
}

/** Whether a packet, and not the file, is at fault. */
export function isPacketFailure(error: unknown): error is PacketUndecryptable | PacketMalformed | RPitOutOfRange {
  return error instanceof PacketUndecryptable || error instanceof PacketMalformed || error instanceof RPitOutOfRange;
}
