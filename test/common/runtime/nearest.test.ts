import { expect, it } from 'vitest';
import { nearest } from '../../../common/runtime/nearest.ts';

const COMMANDS = ['aggregate', 'aggregate-worker', 'intake-batch', 'intake-batch-worker', 'inspect'];

it.each([
  ['aggregat', 'aggregate'],
  ['intake-bacth', 'intake-batch'],
  ['inspekt', 'inspect'],
  ['agregate-worker', 'aggregate-worker'],
  ['intake_batch', 'intake-batch'],
  ['deploy', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('nearest: %.20s', (word, want) => {
  expect(nearest(word, COMMANDS)).toBe(want);
});
