import { createCipheriv } from 'node:crypto';
import { requirePlace } from './block-capacity.ts';
import type { KernelExports } from './kernel-instance.ts';
import type { ShareLayout } from './layout.ts';
import { SEED_LENGTH } from './seed.ts';
import { unpackShare } from './share.ts';

/** Brings the shares of a block into the kernel's memory. */
export interface ShareLoader {
  /** As `BlockEvaluator.load`. */
  load(index: number, plain: Uint8Array): void;
  /** Makes the first `count` shares, of which all were loaded, what the kernel computes with. */
  finish(count: number): void;
}

/** The memory of a kernel that was set up, which does not grow any more. */
export interface KernelShares {
  readonly kernel: KernelExports;
  readonly layout: ShareLayout;
  /** Shares in a block. */
  readonly capacity: number;
}

const WORD = 4;
/** In a block of keystream. */
const BLOCK_WORDS = 4;
/** Of AES-128; the rest of a seed is the first counter. */
const KEY_LENGTH = 16;

/**
 * The longest keystream, in blocks, that the kernel computes. It takes some 0.05 µs for a block; a cipher of OpenSSL
 * takes some 4 µs to be made and freed, and then next to nothing.
 */
const MAX_KERNEL_BLOCKS = 64;

/** How many words the place of a share needs. */
export function wordsOf(layout: ShareLayout, isFirst: boolean): number {
  return isFirst ? layout.length : BLOCK_WORDS * keystreamBlocks(layout);
}

export function shareLoader(shares: KernelShares, isFirst: boolean): ShareLoader {
  if (isFirst) return new ElementLoader(shares);
  return keystreamBlocks(shares.layout) <= MAX_KERNEL_BLOCKS ? new SeedLoader(shares) : new KeystreamLoader(shares);
}

/** Of 4096 words one is not below p; with these to spare, fewer than one keystream in 1,000 runs short. */
function keystreamBlocks({ length }: ShareLayout): number {
  return Math.ceil((length + 1 + Math.floor(length / 100)) / BLOCK_WORDS);
}

/** What loaders have in common. What they cannot do at once, they leave to the model. */
class Places {
  readonly kernel: KernelExports;
  readonly layout: ShareLayout;
  /** All of the kernel's memory. */
  readonly bytes: Uint8Array;
  readonly capacity: number;
  readonly #shares: number;
  readonly #stride: number;

  constructor({ kernel, layout, capacity }: KernelShares) {
    this.kernel = kernel;
    this.layout = layout;
    this.bytes = new Uint8Array(kernel.memory.buffer);
    this.capacity = capacity;
    this.#shares = kernel.shares.value;
    this.#stride = kernel.stride.value;
  }

  /** @throws RangeError */
  addressOf(index: number): number {
    requirePlace(index, this.capacity);
    return this.#shares + index * this.#stride;
  }

  /** @throws PacketMalformed */
  loadByModel(index: number, plain: Uint8Array, isFirst: boolean): void {
    const share = unpackShare(plain, this.layout, isFirst);
    new Uint32Array(this.bytes.buffer, this.addressOf(index), share.length).set(share);
  }
}

/** Shares as they are, for the first server. WebAssembly's memory is little-endian, as they are. */
class ElementLoader implements ShareLoader {
  readonly #places: Places;

  constructor(shares: KernelShares) {
    this.#places = new Places(shares);
  }

  load(index: number, plain: Uint8Array): void {
    const { bytes, kernel, layout } = this.#places;
    const address = this.#places.addressOf(index);
    if (plain.length === WORD * layout.length) {
      bytes.set(plain, address);
      if (kernel.areElements(index, layout.length) === 1) return;
    }
    this.#places.loadByModel(index, plain, true);
  }

  finish(): void {}
}

/** Seeds that the kernel expands, when they are all there. */
class SeedLoader implements ShareLoader {
  readonly #places: Places;
  readonly #seeds: number;
  readonly #blocks: number;
  /** The shares before this place are expanded. */
  #finished = 0;

  constructor(shares: KernelShares) {
    this.#places = new Places(shares);
    this.#seeds = shares.kernel.seeds.value;
    this.#blocks = keystreamBlocks(shares.layout);
  }

  load(index: number, plain: Uint8Array): void {
    requirePlace(index, this.#places.capacity);
    if (plain.length !== SEED_LENGTH) return this.#places.loadByModel(index, plain, false);
    this.#places.bytes.set(plain, this.#seeds + index * SEED_LENGTH);
    this.#finished = Math.min(this.#finished, index);
  }

  finish(count: number): void {
    const { kernel, bytes } = this.#places;
    while (this.#finished < count) {
      const expanded = kernel.expandSeeds(this.#finished, count, this.#blocks);
      if (expanded < count) {
        const seedAt = this.#seeds + expanded * SEED_LENGTH;
        this.#places.loadByModel(expanded, bytes.subarray(seedAt, seedAt + SEED_LENGTH), false);
      }
      this.#finished = Math.min(count, expanded + 1);
    }
  }
}

/** Seeds that OpenSSL makes a keystream of, as ./seed.ts, with a single call of the cipher. */
class KeystreamLoader implements ShareLoader {
  readonly #places: Places;
  /** The keystream's plaintext. */
  readonly #zeros: Uint8Array;
  /** The seed in hand: views of each would cost more than a copy. */
  readonly #seed = new Uint8Array(SEED_LENGTH);
  readonly #key = this.#seed.subarray(0, KEY_LENGTH);
  readonly #counter = this.#seed.subarray(KEY_LENGTH);

  constructor(shares: KernelShares) {
    this.#places = new Places(shares);
    this.#zeros = new Uint8Array(WORD * wordsOf(shares.layout, false));
  }

  load(index: number, plain: Uint8Array): void {
    const { bytes, kernel, layout } = this.#places;
    const address = this.#places.addressOf(index);
    if (plain.length === SEED_LENGTH && !mayWrap(plain)) {
      this.#seed.set(plain);
      const cipher = createCipheriv('aes-128-ctr', this.#key, this.#counter);
      bytes.set(cipher.update(this.#zeros), address);
      if (kernel.keepElements(index, this.#zeros.length / WORD) >= layout.length) return;
    }
    this.#places.loadByModel(index, plain, false);
  }

  finish(): void {}
}

/** Whether the low half of the counter, which is to wrap without a carry, is within 2^32 blocks of it. */
function mayWrap(seed: Uint8Array): boolean {
  return seed[24] === 0xff && seed[25] === 0xff && seed[26] === 0xff && seed[27] === 0xff;
}
