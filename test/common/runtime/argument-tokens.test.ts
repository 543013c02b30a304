import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sealArguments } from '../../../common/runtime/argument-tokens.ts';

const declared = new Set(['key', 'packet-count', 'p', 'is-first']);

it.each([
  { argv: ['run', '--key', 'v'], sealed: ['--key=0', 'run', '--'], values: ['v'] },
  { argv: ['--key=v', 'run'], sealed: ['--key=0', 'run', '--'], values: ['v'] },
  { argv: ['run', '--key=a=b=='], sealed: ['--key=0', 'run', '--'], values: ['a=b=='] },
  { argv: ['run', '--key='], sealed: ['--key=0', 'run', '--'], values: [''] },
  { argv: ['run', '--key', ''], sealed: ['--key=0', 'run', '--'], values: [''] },
  { argv: ['run', '--key', '-abc'], sealed: ['--key=0', 'run', '--'], values: ['-abc'] },
  {
    argv: ['run', '--key', '-----BEGIN X-----\nA=='],
    sealed: ['--key=0', 'run', '--'],
    values: ['-----BEGIN X-----\nA=='],
  },
  { argv: ['run', '--key', '-pq'], sealed: ['--key=0', 'run', '--'], values: ['-pq'] },
  { argv: ['run', '-p', '-5'], sealed: ['-p=0', 'run', '--'], values: ['-5'] },
  { argv: ['run', '-p=5', '-p6'], sealed: ['-p=0', '-p=1', 'run', '--'], values: ['5', '6'] },
  { argv: ['run', 'a', '-5', '-', '--', '--key'], sealed: ['run', '--', 'a', '-5', '-', '--key'], values: [] },
  { argv: ['--help', 'run'], sealed: ['--help', 'run', '--'], values: [] },
  { argv: ['run', '-h'], sealed: ['--help', 'run', '--'], values: [] },
  { argv: ['run', '--version'], sealed: ['--version', 'run', '--'], values: [] },
  { argv: [], sealed: ['--'], values: [] },
])('takes $argv', ({ argv, sealed, values }) => {
  expect(sealArguments(argv, declared)).toEqual({ argv: sealed, values, undeclared: [], valueless: [] });
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
  expect(sealed.argv.filter((token) => /^--?\w/.test(token))).toEqual([]);
});

it('any value comes through behind =, and none of it gets to the parser', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (value) => {
      const sealed = sealArguments(['run', `--key=${value}`], declared);
      expect(sealed).toMatchObject({ argv: ['--key=0', 'run', '--'], values: [value] });
    }),
  );
});
