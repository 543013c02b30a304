import type { BlockEvaluator } from '../prio/block-evaluator.ts';
import { shareLayout, type ShareLayout } from '../prio/layout.ts';
import { ChunkOpener } from './chunk-opener.ts';
import type { BatchContext } from './packet-engine.ts';

/** A worker that does several tasks at once may have batches of several kinds in hand. */
const MAX_OPENERS = 4;

export type MakeEvaluator = (layout: ShareLayout, isFirst: boolean) => BlockEvaluator;

/** Keeps the openers of the last few contexts, since tables of roots and keys cost more than a packet. */
export class OpenerCache {
  readonly #makeEvaluator: MakeEvaluator;
  #openers: { readonly context: BatchContext; readonly opener: ChunkOpener }[] = [];

  constructor(makeEvaluator: MakeEvaluator) {
    this.#makeEvaluator = makeEvaluator;
  }

  /** @throws BinsOutOfRange */
  openerFor(context: BatchContext): ChunkOpener {
    const known = this.#openers.find((entry) => isSame(entry.context, context));
    if (known) return known.opener;
    const evaluator = this.#makeEvaluator(shareLayout(context.bins), context.server === 0);
    const opener = new ChunkOpener(evaluator, context.decryptors);
    this.#openers = [{ context, opener }, ...this.#openers.slice(0, MAX_OPENERS - 1)];
    return opener;
  }
}

function isSame(a: BatchContext, b: BatchContext): boolean {
  return (
    a.bins === b.bins &&
    a.server === b.server &&
    a.decryptors.length === b.decryptors.length &&
    a.decryptors.every((decryptor, i) => decryptor === b.decryptors[i])
  );
}
