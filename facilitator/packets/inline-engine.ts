import { breathe } from '../../common/runtime/breathe.ts';
import { ModelEvaluator } from '../prio/model-evaluator.ts';
import { checkChunk } from './chunk-packets.ts';
import { OpenerCache, type MakeEvaluator } from './opener-cache.ts';
import type { PacketChunk } from './packet-chunk.ts';
import type { BatchContext, OpenedPackets, PacketEngine, SummedPackets } from './packet-engine.ts';

/** Works in the thread that calls it: for small batches and tests, and the model that other engines are held to. */
export class InlineEngine implements PacketEngine {
  readonly threads = 1;
  readonly #openers: OpenerCache;

  constructor(makeEvaluator: MakeEvaluator = (layout, isFirst) => new ModelEvaluator(layout, isFirst)) {
    this.#openers = new OpenerCache(makeEvaluator);
  }

  async open(chunk: PacketChunk, context: BatchContext): Promise<OpenedPackets> {
    await breathe();
    return this.#openers.openerFor(context).open(chunk);
  }

  async sumOf(chunk: PacketChunk, positions: Uint32Array, context: BatchContext): Promise<SummedPackets> {
    await breathe();
    return this.#openers.openerFor(context).sumOf(chunk, positions);
  }

  async check(chunk: PacketChunk): Promise<void> {
    await breathe();
    checkChunk(chunk);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
