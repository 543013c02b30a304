import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import { PacketDecryptor } from '../crypto/ecies.ts';
import { KernelEvaluator } from '../prio/kernel-evaluator.ts';
import { ModelEvaluator } from '../prio/model-evaluator.ts';
import { checkChunk } from './chunk-packets.ts';
import { packFailure } from './failures.ts';
import { OpenerCache } from './opener-cache.ts';
import type { BatchContext, OpenedPackets, SummedPackets } from './packet-engine.ts';
import { unpackChunk, type PackedChunk } from './packed-chunk.ts';
import type {
  Answer,
  CheckRequest,
  OpenRequest,
  Outcome,
  PackedContext,
  SumRequest,
  ThreadSetup,
} from './thread-messages.ts';

/*
 * What runs in the threads of `ThreadPoolEngine`, and only there: its exports are what the pool may ask for.
 */

/** More than a rotation leaves about. */
const MAX_KEYS = 64;

// Whoever starts a thread, and that is `ThreadPoolEngine` alone, gives it this.
const { kernel, agreement } = workerData as ThreadSetup;
const openers = new OpenerCache((layout, isFirst) =>
  kernel ? new KernelEvaluator(kernel, layout, isFirst) : new ModelEvaluator(layout, isFirst),
);
/** By scalar. An import of a key costs as much as a use. */
const decryptors = new Map<string, PacketDecryptor>();

export function open({ chunk, context }: OpenRequest): Moved {
  return answer(chunk, (): OpenedPackets => openers.openerFor(contextOf(context)).open(unpackChunk(chunk)));
}

export function sumOf({ chunk, context, positions }: SumRequest): Moved {
  return answer(chunk, (): SummedPackets => openers.openerFor(contextOf(context)).sumOf(unpackChunk(chunk), positions));
}

export function check({ chunk }: CheckRequest): Moved {
  return answer(chunk, () => {
    checkChunk(unpackChunk(chunk));
    return undefined;
  });
}

/** An answer whose memory goes with it instead of being copied. */
type Moved = ReturnType<typeof move>;

function answer({ bytes: { buffer: memory } }: PackedChunk, work: () => unknown): Moved {
  const answer: Answer<unknown> = { memory, ...outcomeOf(work) };
  return move({ [transferableSymbol]: [memory], [valueSymbol]: answer });
}

function outcomeOf<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (err) {
    const failure = packFailure(err);
    if (!failure) throw err;
    return { failure };
  }
}

function contextOf({ bins, server, scalars }: PackedContext): BatchContext {
  return { bins, server, decryptors: scalars.map(decryptorOf) };
}

function decryptorOf(scalar: Uint8Array): PacketDecryptor {
  const name = Buffer.from(scalar).toString('latin1');
  let decryptor = decryptors.get(name);
  if (!decryptor) {
    if (decryptors.size >= MAX_KEYS) decryptors.clear();
    decryptor = new PacketDecryptor(scalar, agreement);
    decryptors.set(name, decryptor);
  }
  return decryptor;
}
