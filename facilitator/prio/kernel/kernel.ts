/**
 * Evaluates and sums shares, in AssemblyScript: what ../kernel-evaluator.ts calls. It writes shares, points and marks
 * to the addresses exported here, calls, and reads the results.
 */

import { evaluate } from './evaluation.ts';
import { chosen, divideMemory, messages, rPits, seeds, shares, stride, sum, told } from './memory.ts';
import { tabulateRoots } from './roots.ts';
import { expandSeeds } from './seeds.ts';
import { accumulate, areElements, keepElements } from './shares.ts';
import { forgetPoint } from './weights.ts';

// AssemblyScript finds files by names with an extension where they are imported, but not where they are re-exported.
export { chosen, messages, rPits, seeds, shares, stride, sum, told };
export { accumulate, areElements, evaluate, expandSeeds, keepElements };

/** To be called first. The parameters are those of `divideMemory`. */
export function setUp(bins: u32, points: u32, isFirst: bool, capacity: u32, words: u32): void {
  divideMemory(bins, points, isFirst, capacity, words);
  tabulateRoots();
  forgetPoint();
}
