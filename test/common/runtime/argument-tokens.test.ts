import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sealArguments } from '../../../common/runtime/argument-tokens.ts';

const declared = {
  all: new Set(['key', 'packet-count', 'p', 'is-first', 'dry-run', 'n']),
  bare: new Set(['dry-run', 'n']),
};

it.each([
  { argv: ['run', '--key', 'v'], options: ['--key=0'], words: ['run'], values: ['v'] },
  { argv: ['--key=v', 'run'], options: ['--key=0'], words: ['run'], values: ['v'] },
  { argv: ['run', '--key=a=b=='], options: ['--key=0'], words: ['run'], values: ['a=b=='] },
  { argv: ['run', '--key='], options: ['--key=0'], words: ['run'], values: [''] },
  { argv: ['run', '--key', ''], options: ['--key=0'], words: ['run'], values: [''] },
  { argv: ['run', '--key', '-abc'], options: ['--key=0'], words: ['run'], values: ['-abc'] },
  {
    argv: ['run', '--key', '-----BEGIN X-----\nA=='],
    options: ['--key=0'],
    words: ['run'],
    values: ['-----BEGIN X-----\nA=='],
  },
  { argv: ['run', '--key', '-pq'], options: ['--key=0'], words: ['run'], values: ['-pq'] },
  { argv: ['run', '-p', '-5'], options: ['-p=0'], words: ['run'], values: ['-5'] },
  { argv: ['run', '-p=5', '-p6'], options: ['-p=0', '-p=1'], words: ['run'], values: ['5', '6'] },
  { argv: ['run', 'a', '-5', '-', '--', '--key'], options: [], words: ['run', 'a', '-5', '-', '--key'], values: [] },
  { argv: ['--help', 'run'], options: ['--help'], words: ['run'], values: [] },
  { argv: ['run', '-h'], options: ['--help'], words: ['run'], values: [] },
  { argv: ['run', '--version'], options: ['--version'], words: ['run'], values: [] },
  { argv: [], options: [], words: [], values: [] },
])('takes $argv', ({ argv, options, words, values }) => {
  expect(sealArguments(argv, declared)).toEqual({ options, words, values, undeclared: [], valueless: [] });
});

it.each([
  { name: 'at the end', argv: ['run', '--key'], valueless: ['key'] },
  { name: 'before another option', argv: ['run', '--key', '--is-first', 'true'], valueless: ['key'] },
  { name: 'before another option with =', argv: ['run', '--key', '--is-first=true'], valueless: ['key'] },
  { name: 'before a letter', argv: ['run', '--key', '-p', '1'], valueless: ['key'] },
  { name: 'before --', argv: ['run', '--key', '--'], valueless: ['key'] },
  { name: 'before --help', argv: ['run', '-p', '--help'], valueless: ['p'] },
])('notices a value forgotten $name', ({ argv, valueless }) => {
  expect(sealArguments(argv, declared).valueless).toEqual(valueless);
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
  const sealed = sealArguments(argv, declared);
  expect(sealed.undeclared).toEqual(undeclared);
  expect(sealed.options).toEqual([]);
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
  expect(sealArguments(argv, declared)).toMatchObject({ values, words, undeclared: [], valueless: [] });
});

it.each([
  { argv: ['-is-first=true', '-key', 'v'], options: ['--is-first=0', '--key=1'], values: ['true', 'v'] },
  { argv: ['-dry-run', '-help'], options: ['--dry-run=0', '--help'], values: ['true'] },
  { argv: ['-packet-count', '-5'], options: ['--packet-count=0'], values: ['-5'] },
  { argv: ['--key', '-is-first'], options: ['--key=0'], values: ['-is-first'] },
  { argv: ['-packet-counts'], options: ['-p=0'], values: ['acket-counts'] },
])('takes declared names with one dash too: $argv', ({ argv, options, values }) => {
  expect(sealArguments(argv, declared)).toEqual({ options, words: [], values, undeclared: [], valueless: [] });
});

it('any value comes through behind =, and none of it gets to the parser', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (value) => {
      const sealed = sealArguments(['run', `--key=${value}`], declared);
      expect(sealed).toMatchObject({ options: ['--key=0'], words: ['run'], values: [value] });
    }),
  );
});
