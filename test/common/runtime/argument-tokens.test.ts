import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { argumentTokens } from '../../../common/runtime/argument-tokens.ts';

const declared = {
  all: new Set(['key', 'packet-count', 'p', 'is-first', 'dry-run', 'n']),
  bare: new Set(['dry-run', 'n']),
};

it.each([
  { argv: ['run', '--key', 'v'], options: [['key', 'v']], words: ['run'] },
  { argv: ['--key=v', 'run'], options: [['key', 'v']], words: ['run'] },
  { argv: ['run', '--key=a=b=='], options: [['key', 'a=b==']], words: ['run'] },
  { argv: ['run', '--key='], options: [['key', '']], words: ['run'] },
  { argv: ['run', '--key', ''], options: [['key', '']], words: ['run'] },
  { argv: ['run', '--key', '-abc'], options: [['key', '-abc']], words: ['run'] },
  {
    argv: ['run', '--key', '-----BEGIN X-----\nA=='],
    options: [['key', '-----BEGIN X-----\nA==']],
    words: ['run'],
  },
  { argv: ['run', '--key', '-pq'], options: [['key', '-pq']], words: ['run'] },
  { argv: ['run', '-p', '-5'], options: [['p', '-5']], words: ['run'] },
  {
    argv: ['run', '-p=5', '-p6'],
    options: [
      ['p', '5'],
      ['p', '6'],
    ],
    words: ['run'],
  },
  { argv: ['run', 'a', '-5', '-', '--', '--key'], options: [], words: ['run', 'a', '-5', '-', '--key'] },
  { argv: ['--help', 'run'], options: [], switches: ['help'], words: ['run'] },
  { argv: ['run', '-h'], options: [], switches: ['help'], words: ['run'] },
  { argv: ['run', '--version'], options: [], switches: ['version'], words: ['run'] },
  { argv: [], options: [], words: [] },
])('takes $argv', ({ argv, options, words, switches = [] }) => {
  expect(argumentTokens(argv, declared)).toEqual({
    options,
    switches: new Set(switches),
    words,
    undeclared: [],
    valueless: [],
  });
});

it.each([
  { name: 'at the end', argv: ['run', '--key'], valueless: ['key'] },
  { name: 'before another option', argv: ['run', '--key', '--is-first', 'true'], valueless: ['key'] },
  { name: 'before another option with =', argv: ['run', '--key', '--is-first=true'], valueless: ['key'] },
  { name: 'before a letter', argv: ['run', '--key', '-p', '1'], valueless: ['key'] },
  { name: 'before --', argv: ['run', '--key', '--'], valueless: ['key'] },
  { name: 'before --help', argv: ['run', '-p', '--help'], valueless: ['p'] },
])('notices a value forgotten $name', ({ argv, valueless }) => {
  expect(argumentTokens(argv, declared).valueless).toEqual(valueless);
});

it.each([
  { argv: ['--colour', 'red', 'run'], undeclared: ['--colour'] },
  { argv: ['--colour=red', '-x', '1'], undeclared: ['--colour', '-x'] },
  {
    argv: ['--__proto__=1', '--constructor=1', '--_=1', '--$0=1'],
    undeclared: ['--__proto__', '--constructor', '--_', '--$0'],
  },
  { argv: ['--Key=1', '--isFirst=true', '--no-key'], undeclared: ['--Key', '--isFirst', '--no-key'] },
])('sets aside what is not declared: $argv', ({ argv, undeclared }) => {
  const tokens = argumentTokens(argv, declared);
  expect(tokens.undeclared).toEqual(undeclared);
  expect(tokens.options).toEqual([]);
});

it.each([
  { argv: ['--dry-run'], values: ['true'], words: [] },
  { argv: ['--dry-run', '--key', 'v'], values: ['true', 'v'], words: [] },
  { argv: ['--dry-run', 'true'], values: ['true'], words: [] },
  { argv: ['--dry-run', 'false', 'run'], values: ['false'], words: ['run'] },
  { argv: ['--dry-run', 'run'], values: ['true'], words: ['run'] },
  { argv: ['--dry-run', 'TRUE'], values: ['true'], words: ['TRUE'] },
  { argv: ['--dry-run', '--', 'true'], values: ['true'], words: ['true'] },
  { argv: ['--dry-run=false'], values: ['false'], words: [] },
  { argv: ['--dry-run=', 'true'], values: [''], words: ['true'] },
  { argv: ['-n', '-n', 'false'], values: ['true', 'false'], words: [] },
])('lets a bare option stand alone: $argv', ({ argv, values, words }) => {
  const tokens = argumentTokens(argv, declared);
  expect(tokens).toMatchObject({ words, undeclared: [], valueless: [] });
  expect(tokens.options.map(([, value]) => value)).toEqual(values);
});

it.each([
  {
    argv: ['-is-first=true', '-key', 'v'],
    options: [
      ['is-first', 'true'],
      ['key', 'v'],
    ],
  },
  { argv: ['-dry-run', '-help'], options: [['dry-run', 'true']], switches: ['help'] },
  { argv: ['-packet-count', '-5'], options: [['packet-count', '-5']] },
  { argv: ['--key', '-is-first'], options: [['key', '-is-first']] },
  { argv: ['-packet-counts'], options: [['p', 'acket-counts']] },
])('takes declared names with one dash too: $argv', ({ argv, options, switches = [] }) => {
  const tokens = argumentTokens(argv, declared);
  expect(tokens).toEqual({ options, switches: new Set(switches), words: [], undeclared: [], valueless: [] });
});

it('any value comes through behind =', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (value) => {
      const tokens = argumentTokens(['run', `--key=${value}`], declared);
      expect(tokens).toMatchObject({ options: [['key', value]], words: ['run'] });
    }),
  );
});
