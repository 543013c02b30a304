import { createCipheriv } from 'node:crypto';
import { blockCapacity, requirePlace } from './block-capacity.ts';
import type { BlockEvaluator, BlockMessages } from './block-evaluator.ts';
import { instantiate, type KernelExports } from './kernel-instance.ts';
import type { ShareLayout } from './layout.ts';
import { SEED_LENGTH } from './seed.ts';
import { unpackShare } from './share.ts';
import type { KernelModule } from './web-assembly.ts';

/** One word of the keystream in 4096 is not below p; with twice as many to spare, and these, practically none runs short. */
const SLACK_WORDS = 8;

/** Of AES-128; the rest of a seed is the first counter. */
const KEY_LENGTH = 16;

/**
 * Whole blocks in WebAssembly, with the results of `ModelEvaluator`. What it cannot do at once it leaves to the model:
 * shares that are malformed, seeds whose keystream runs short or whose counter may wrap.
 */
export class KernelEvaluator implements BlockEvaluator {
  readonly layout: ShareLayout;
  readonly capacity: number;
  readonly #isFirst: boolean;
  readonly #kernel: KernelExports;
  /** The keystream's plaintext: as many zeros as words are asked of it. */
  readonly #zeros: Uint8Array;
  /** The seed in hand: views of each would cost more than a copy. */
  readonly #seed = new Uint8Array(SEED_LENGTH);
  readonly #key = this.#seed.subarray(0, KEY_LENGTH);
  readonly #counter = this.#seed.subarray(KEY_LENGTH);
  readonly #bytes: Uint8Array;
  readonly #shares: number;
  readonly #stride: number;
  readonly #rPits: Uint32Array;
  readonly #messages: Uint32Array;
  readonly #told: Uint8Array;
  readonly #chosen: Uint8Array;
  readonly #sum: Uint32Array;

  constructor(module: KernelModule, layout: ShareLayout, isFirst: boolean) {
    const { bins, points, length } = layout;
    this.layout = layout;
    this.capacity = blockCapacity(layout);
    this.#isFirst = isFirst;
    const words = isFirst ? length : length + Math.ceil(length / 2048) + SLACK_WORDS;
    this.#zeros = new Uint8Array(4 * words);
    const kernel = instantiate(module);
    kernel.setUp(bins, points, isFirst, this.capacity, words);
    this.#kernel = kernel;
    // The memory does not grow any more, so that views of it stay valid.
    const { buffer } = kernel.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#shares = kernel.shares.value;
    this.#stride = kernel.stride.value;
    this.#rPits = new Uint32Array(buffer, kernel.rPits.value, this.capacity);
    this.#messages = new Uint32Array(buffer, kernel.messages.value, 3 * this.capacity);
    this.#told = new Uint8Array(buffer, kernel.told.value, this.capacity);
    this.#chosen = new Uint8Array(buffer, kernel.chosen.value, this.capacity);
    this.#sum = new Uint32Array(buffer, kernel.sum.value, bins);
  }

  load(index: number, plain: Uint8Array): void {
    requirePlace(index, this.capacity);
    const isLoaded = this.#isFirst ? this.#copyElements(index, plain) : this.#expandSeed(index, plain);
    if (!isLoaded) this.#loadByModel(index, plain);
  }

  evaluate(rPits: Uint32Array): BlockMessages {
    const count = rPits.length;
    this.#rPits.set(rPits);
    this.#kernel.evaluate(count);
    return { messages: this.#messages.slice(0, 3 * count), told: this.#told.slice(0, count) };
  }

  accumulate(chosen: Uint8Array, sum: Uint32Array): void {
    this.#chosen.set(chosen);
    this.#sum.set(sum);
    this.#kernel.accumulate(chosen.length);
    sum.set(this.#sum);
  }

  /** WebAssembly's memory is little-endian, as shares are. */
  #copyElements(index: number, plain: Uint8Array): boolean {
    const { length } = this.layout;
    if (plain.length !== 4 * length) return false;
    this.#bytes.set(plain, this.#shares + index * this.#stride);
    return this.#kernel.areElements(index, length) === 1;
  }

  /** As ./seed.ts, with a single call of the cipher. */
  #expandSeed(index: number, seed: Uint8Array): boolean {
    if (seed.length !== SEED_LENGTH || mayWrap(seed)) return false;
    this.#seed.set(seed);
    const cipher = createCipheriv('aes-128-ctr', this.#key, this.#counter);
    this.#bytes.set(cipher.update(this.#zeros), this.#shares + index * this.#stride);
    return this.#kernel.keepElements(index, this.#zeros.length / 4) >= this.layout.length;
  }

  /** @throws PacketMalformed */
  #loadByModel(index: number, plain: Uint8Array): void {
    const share = unpackShare(plain, this.layout, this.#isFirst);
    new Uint32Array(this.#bytes.buffer, this.#shares + index * this.#stride, share.length).set(share);
  }
}

/** Whether the low half of the counter, which is to wrap without a carry, is within 2^32 blocks of it. */
function mayWrap(seed: Uint8Array): boolean {
  return seed[24] === 0xff && seed[25] === 0xff && seed[26] === 0xff && seed[27] === 0xff;
}
