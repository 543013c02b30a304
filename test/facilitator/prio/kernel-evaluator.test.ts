import { createCipheriv } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadKernel } from '../../../facilitator/packets/kernel-file.ts';
import type { BlockEvaluator } from '../../../facilitator/prio/block-evaluator.ts';
import { P } from '../../../facilitator/prio/field.ts';
import { KernelEvaluator } from '../../../facilitator/prio/kernel-evaluator.ts';
import { instantiate } from '../../../facilitator/prio/kernel-instance.ts';
import { shareLayout } from '../../../facilitator/prio/layout.ts';
import { ModelEvaluator } from '../../../facilitator/prio/model-evaluator.ts';
import { blockEvaluatorContract } from '../../contract/block-evaluator.contract.ts';
import { plainShares } from '../../support/shares.ts';

blockEvaluatorContract('kernel', (layout, isFirst) => new KernelEvaluator(loadKernel(), layout, isFirst));

describe('the kernel', () => {
  it.each([
    ['none', [P, 2 ** 32 - 1, P], []],
    ['all', [0, 1, P - 1], [0, 1, P - 1]],
    ['some', [5, P, 6, 2 ** 32 - 1, P + 1, 7], [5, 6, 7]],
  ])('keeps those words of a keystream that are below p, and says how many: %s', (_, words, kept) => {
    const kernel = instantiate(loadKernel());
    kernel.setUp(1, 2, false, 2, 8);
    const share = new Uint32Array(kernel.memory.buffer, kernel.shares.value + kernel.stride.value, 8);
    share.set(words);
    expect(kernel.keepElements(1, words.length)).toBe(kept.length);
    expect([...share.subarray(0, kept.length)]).toEqual(kept);
  });

  it('makes the keystream of NIST’s example: SP 800-38A, F.5.1', () => {
    const key = '2b7e151628aed2a6abf7158809cf4f3c';
    const counter = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff';
    const keystream =
      'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44e89c399ff0f198c6d40a31db156cabfe';
    const kernel = instantiate(loadKernel());
    kernel.setUp(1, 2, false, 1, 16);
    const bytes = Buffer.from(kernel.memory.buffer);
    bytes.write(key + counter, kernel.seeds.value, 'hex');
    expect(kernel.expandSeeds(0, 1, 4)).toBe(1);
    const share = kernel.shares.value;
    expect(bytes.toString('hex', share, share + 64)).toBe(keystream);
  });

  it.each([1, 4, 20, 85, 113, 127])('expands many seeds of %i bins as the model does', (bins) => {
    const layout = shareLayout(bins);
    fc.assert(
      fc.property(fc.array(plainShares(layout, false), { minLength: 1, maxLength: 40 }), (seeds) => {
        expectShares(new KernelEvaluator(loadKernel(), layout, false), seeds);
      }),
      { numRuns: 20 },
    );
  });

  it('leaves the seeds whose keystream runs short to the model, wherever they are', () => {
    const layout = shareLayout(20);
    const [a, b, c] = shortSeeds(layout.length + 1, 3);
    const other = new Uint8Array(32);
    const evaluator = new KernelEvaluator(loadKernel(), layout, false);
    // There are three.
    expectShares(evaluator, [a!, b!, ...Array.from({ length: 6 }, () => other), other, other, c!]);
    expectShares(evaluator, [other, a!]);
  });

  it('expands again what is loaded again', () => {
    const layout = shareLayout(20);
    const evaluator = new KernelEvaluator(loadKernel(), layout, false);
    const seeds = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
    expectShares(evaluator, seeds);
    evaluator.load(1, new Uint8Array(32).fill(9));
    const model = new ModelEvaluator(layout, false);
    [1, 9, 3].forEach((byte, i) => model.load(i, new Uint8Array(32).fill(byte)));
    expect(sumOf(evaluator, 3)).toEqual(sumOf(model, 3));
  });

  it('is compiled once', () => {
    expect(loadKernel()).toBe(loadKernel());
  });
});

/** Loads the seeds, and expects all that is said and summed to be what the model says and sums. */
function expectShares(evaluator: KernelEvaluator, seeds: readonly Uint8Array[]): void {
  const model = new ModelEvaluator(evaluator.layout, false);
  for (const [i, seed] of seeds.entries()) {
    evaluator.load(i, seed);
    model.load(i, seed);
  }
  const rPits = new Uint32Array(seeds.length).fill(998314904);
  expect(evaluator.evaluate(rPits)).toEqual(model.evaluate(rPits));
  expect(sumOf(evaluator, seeds.length)).toEqual(sumOf(model, seeds.length));
}

function sumOf(evaluator: BlockEvaluator, count: number): Uint32Array {
  const sum = new Uint32Array(evaluator.layout.bins);
  evaluator.accumulate(new Uint8Array(count).fill(1), sum);
  return sum;
}

/** Seeds in whose first `words` words of keystream at least two are not below p. */
function shortSeeds(words: number, count: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let number = 0; found.length < count; number++) {
    const seed = Buffer.alloc(32);
    seed.writeUInt32LE(number);
    const stream = createCipheriv('aes-128-ctr', seed.subarray(0, 16), seed.subarray(16)).update(
      Buffer.alloc(4 * words),
    );
    let tooLarge = 0;
    for (let at = 0; at < stream.length; at += 4) tooLarge += stream.readUInt32LE(at) < P ? 0 : 1;
    if (tooLarge >= 2) found.push(seed);
  }
  return found;
}
