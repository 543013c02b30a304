import { blockCapacity } from './block-capacity.ts';
import type { BlockEvaluator, BlockMessages } from './block-evaluator.ts';
import { instantiate, type KernelExports } from './kernel-instance.ts';
import type { ShareLayout } from './layout.ts';
import { shareLoader, wordsOf, type ShareLoader } from './share-loader.ts';
import type { KernelModule } from './web-assembly.ts';

/** Whole blocks in WebAssembly, with the results of `ModelEvaluator`. */
export class KernelEvaluator implements BlockEvaluator {
  readonly layout: ShareLayout;
  readonly capacity: number;
  readonly #kernel: KernelExports;
  readonly #loader: ShareLoader;
  readonly #rPits: Uint32Array;
  readonly #messages: Uint32Array;
  readonly #told: Uint8Array;
  readonly #chosen: Uint8Array;
  readonly #sum: Uint32Array;

  constructor(module: KernelModule, layout: ShareLayout, isFirst: boolean) {
    const { bins, points } = layout;
    this.layout = layout;
    this.capacity = blockCapacity(layout);
    const kernel = instantiate(module);
    kernel.setUp(bins, points, isFirst, this.capacity, wordsOf(layout, isFirst));
    this.#kernel = kernel;
    // The memory does not grow any more, so that views of it stay valid.
    const { buffer } = kernel.memory;
    this.#loader = shareLoader({ kernel, layout, capacity: this.capacity }, isFirst);
    this.#rPits = new Uint32Array(buffer, kernel.rPits.value, this.capacity);
    this.#messages = new Uint32Array(buffer, kernel.messages.value, 3 * this.capacity);
    this.#told = new Uint8Array(buffer, kernel.told.value, this.capacity);
    this.#chosen = new Uint8Array(buffer, kernel.chosen.value, this.capacity);
    this.#sum = new Uint32Array(buffer, kernel.sum.value, bins);
  }

  load(index: number, plain: Uint8Array): void {
    this.#loader.load(index, plain);
  }

  evaluate(rPits: Uint32Array): BlockMessages {
    const count = rPits.length;
    this.#rPits.set(rPits);
    this.#loader.finish(count);
    this.#kernel.evaluate(count);
    return { messages: this.#messages.slice(0, 3 * count), told: this.#told.slice(0, count) };
  }

  accumulate(chosen: Uint8Array, sum: Uint32Array): void {
    this.#chosen.set(chosen);
    this.#sum.set(sum);
    this.#loader.finish(chosen.length);
    this.#kernel.accumulate(chosen.length);
    sum.set(this.#sum);
  }
}
