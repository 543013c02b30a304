import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Agreement } from '../crypto/agreement.ts';
import { builtFile } from './built.ts';
import { ChunkMemory } from './chunk-memory.ts';
import { unpackFailure } from './failures.ts';
import { loadKernel } from './kernel-file.ts';
import type { PacketChunk } from './packet-chunk.ts';
import type { BatchContext, OpenedPackets, PacketEngine, SummedPackets } from './packet-engine.ts';
import { packChunk, type PackedChunk } from './packed-chunk.ts';
import type {
  Answer,
  CheckRequest,
  Evaluation,
  OpenRequest,
  PackedContext,
  SumRequest,
  ThreadSetup,
} from './thread-messages.ts';

export interface ThreadPoolSettings {
  /** At least 1. */
  readonly threads: number;
  readonly evaluation: Evaluation;
  /** Default: `createECDH`. */
  readonly agreement?: Agreement;
}

/**
 * Each packet leaves keys and ciphers of OpenSSL behind, which take several times the memory of the objects that hold
 * them and are freed with these. Newer versions of Node would let far more of them gather.
 */
const YOUNG_GENERATION_MB = 12;

/** Opens packets in threads, which start with the first chunks and live as long as the engine. */
export class ThreadPoolEngine implements PacketEngine {
  readonly threads: number;
  readonly #pool: Piscina;
  readonly #memory = new ChunkMemory();

  constructor({ threads, evaluation, agreement = 'createECDH' }: ThreadPoolSettings) {
    this.threads = threads;
    const setup: ThreadSetup = { kernel: evaluation === 'webassembly' ? loadKernel() : undefined, agreement };
    this.#pool = new Piscina({
      filename: fileURLToPath(builtFile('facilitator/packets/engine-thread.js')),
      workerData: setup,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: Infinity,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
  }

  async open(chunk: PacketChunk, context: BatchContext): Promise<OpenedPackets> {
    const request: OpenRequest = { chunk: this.#pack(chunk), context: packContext(context) };
    return this.#ask<OpenedPackets>('open', request);
  }

  async sumOf(chunk: PacketChunk, positions: Uint32Array, context: BatchContext): Promise<SummedPackets> {
    const request: SumRequest = {
      chunk: this.#pack(chunk),
      context: packContext(context),
      positions: positions.slice(),
    };
    return this.#ask<SummedPackets>('sumOf', request);
  }

  async check(chunk: PacketChunk): Promise<void> {
    const request: CheckRequest = { chunk: this.#pack(chunk) };
    await this.#ask<undefined>('check', request);
  }

  #pack(chunk: PacketChunk): PackedChunk {
    return packChunk(chunk, (bytes) => this.#memory.take(bytes));
  }

  async #ask<T>(name: string, request: CheckRequest): Promise<T> {
    // The thread's function of that name answers with a T.
    const answer = (await this.#pool.run(request, { name, transferList: [request.chunk.bytes.buffer] })) as Answer<T>;
    this.#memory.giveBack(answer.memory);
    if ('failure' in answer) throw unpackFailure(answer.failure);
    return answer.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}

function packContext({ bins, server, decryptors }: BatchContext): PackedContext {
  return { bins, server, scalars: decryptors.map((decryptor) => Uint8Array.from(decryptor.privateScalar())) };
}
