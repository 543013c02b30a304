import { expect, it } from 'vitest';
import { withWholeNames } from '../../../common/runtime/help-names.ts';

const NAMES = new Set(['short', 'rather-long-name', 'rather', 'rather-long']);

it('gives a name that was broken a line of its own', () => {
  const help = [
    'Options:',
    '      --rather-long-  what it is',
    '      name            good for',
    '  -s, --short          x',
  ];
  expect(withWholeNames(help.join('\n'), NAMES).split('\n')).toEqual([
    'Options:',
    '      --rather-long-name',
    '                      what it is',
    '                      good for',
    '  -s, --short          x',
  ]);
});

it.each([
  ['descriptions', '      --short  a text\n      more  of it'],
  ['whole names', '      --rather  a text\n      -long  of it'],
  ['anything else', 'see   --rather-long-  x\n\n  name  y\n'],
])('leaves %s as they are', (_, help) => {
  expect(withWholeNames(help, NAMES)).toBe(help);
});
