import { blockCapacity, requirePlace } from './block-capacity.ts';
import type { BlockEvaluator, BlockMessages } from './block-evaluator.ts';
import type { ShareLayout } from './layout.ts';
import { unpackShare } from './share.ts';
import { accumulate } from './sum.ts';
import { ShareEvaluator } from './verification.ts';

/** One share after the other, in TypeScript: the readable model that faster evaluators are held to. */
export class ModelEvaluator implements BlockEvaluator {
  readonly layout: ShareLayout;
  readonly capacity: number;
  readonly #isFirst: boolean;
  readonly #evaluator: ShareEvaluator;
  readonly #shares: Uint32Array[] = [];

  constructor(layout: ShareLayout, isFirst: boolean) {
    this.layout = layout;
    this.capacity = blockCapacity(layout);
    this.#isFirst = isFirst;
    this.#evaluator = new ShareEvaluator(layout, isFirst);
  }

  load(index: number, plain: Uint8Array): void {
    requirePlace(index, this.capacity);
    this.#shares[index] = unpackShare(plain, this.layout, this.#isFirst);
  }

  evaluate(rPits: Uint32Array): BlockMessages {
    const messages = new Uint32Array(3 * rPits.length);
    const told = new Uint8Array(rPits.length);
    for (const [i, rPit] of rPits.entries()) {
      const message = this.#evaluator.evaluate(this.#share(i), rPit);
      if (!message) continue;
      messages.set([message.f_r, message.g_r, message.h_r], 3 * i);
      told[i] = 1;
    }
    return { messages, told };
  }

  accumulate(chosen: Uint8Array, sum: Uint32Array): void {
    for (const [i, mark] of chosen.entries()) {
      if (mark === 1) accumulate(sum, this.#share(i));
    }
  }

  #share(index: number): Uint32Array {
    const share = this.#shares[index];
    if (!share) throw new RangeError(`share ${index} of the block was not loaded`);
    return share;
  }
}
