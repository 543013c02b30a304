import { describe, expect, it } from 'vitest';
import { loadKernel } from '../../../facilitator/packets/kernel-file.ts';
import { P } from '../../../facilitator/prio/field.ts';
import { KernelEvaluator } from '../../../facilitator/prio/kernel-evaluator.ts';
import { instantiate } from '../../../facilitator/prio/kernel-instance.ts';
import { blockEvaluatorContract } from '../../contract/block-evaluator.contract.ts';

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

  it('is compiled once', () => {
    expect(loadKernel()).toBe(loadKernel());
  });
});
