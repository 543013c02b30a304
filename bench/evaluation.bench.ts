import * as fc from 'fast-check';
import { bench, describe } from 'vitest';
import { loadKernel } from '../facilitator/packets/kernel-file.ts';
import type { BlockEvaluator } from '../facilitator/prio/block-evaluator.ts';
import { KernelEvaluator } from '../facilitator/prio/kernel-evaluator.ts';
import { shareLayout, type ShareLayout } from '../facilitator/prio/layout.ts';
import { ModelEvaluator } from '../facilitator/prio/model-evaluator.ts';
import { plainShares, SERVERS } from '../test/support/shares.ts';

/*
 * What packets cost once they are decrypted: load, evaluate, accumulate, a block of 64 at a time. Each packet has its
 * own r_pit, the dearer case. Read the ratios, which hold across machines; divide the times by 64.
 */

const BLOCK = 64;

const EVALUATORS: readonly [string, (layout: ShareLayout, isFirst: boolean) => BlockEvaluator][] = [
  ['model', (layout, isFirst) => new ModelEvaluator(layout, isFirst)],
  ['kernel', (layout, isFirst) => new KernelEvaluator(loadKernel(), layout, isFirst)],
];

describe.each([20, 250, 4000].flatMap((bins) => SERVERS.map(([server, isFirst]) => ({ bins, server, isFirst }))))(
  '64 packets of $bins bins, $server server',
  ({ bins, isFirst }) => {
    const layout = shareLayout(bins);
    const plains = fc.sample(plainShares(layout, isFirst), { numRuns: BLOCK, seed: bins });
    const rPits = new Uint32Array(BLOCK);
    const all = new Uint8Array(BLOCK).fill(1);
    const sum = new Uint32Array(bins);
    for (const [name, make] of EVALUATORS) {
      const evaluator = make(layout, isFirst);
      bench(name, () => {
        for (const [i, plain] of plains.entries()) evaluator.load(i, plain);
        for (let i = 0; i < BLOCK; i++) rPits[i]! += 1000 + i; // there are BLOCK of them
        evaluator.evaluate(rPits);
        evaluator.accumulate(all, sum);
      });
    }
  },
);
