import { expect, expectTypeOf, it } from 'vitest';
import { UsageError } from '../../../common/errors.ts';
import { integer, text } from '../../../common/runtime/option-values.ts';
import { readOptions } from '../../../common/runtime/options.ts';
import { relaxed, requireGiven, unionOf } from '../../../common/runtime/union-options.ts';

const name = { describe: 'a name', example: 'kittens' };
const CATS = {
  name: text({ ...name, required: true }),
  lives: integer(1, 9, { describe: 'lives', default: 9 }),
  own: text({ ...name, describe: 'what it plays with' }),
};
const DOGS = {
  name: text({ ...name }),
  own: text({ ...name, describe: 'what it chews', required: true }),
};
const EITHER = unionOf(relaxed(CATS), relaxed(DOGS));

const read = (given: Readonly<Record<string, string>>): ReturnType<typeof readOptions<typeof EITHER>> =>
  readOptions(EITHER, {
    commandLine: new Map(Object.entries(given).map(([option, value]) => [option, [value]])),
    env: {},
    envPrefix: 'T',
  });

it('reads the options of two tables, none of which is required', () => {
  expect(read({})).toEqual({ name: undefined, lives: 9, own: undefined });
  expect(read({ name: 'tom', lives: '3' })).toEqual({ name: 'tom', lives: 3, own: undefined });
});

it('describes an option that both have in both ways, unless they are one', () => {
  expect(EITHER.own.describe).toBe('what it plays with; or what it chews');
  expect(EITHER.name.describe).toBe('a name');
});

it('gives the arguments of a table if its required options are there', () => {
  const cat = requireGiven(CATS, read({ name: 'tom' }));
  expectTypeOf(cat.name).toEqualTypeOf<string>();
  expect(cat).toMatchObject({ name: 'tom', lives: 9 });
  expect(requireGiven(DOGS, read({ own: 'bone' }))).toMatchObject({ own: 'bone' });
});

it('names all that are missing', () => {
  expect(() => requireGiven(DOGS, read({}))).toThrow(new UsageError('missing --own; example: --own kittens'));
  expect(() => requireGiven(CATS, read({}))).toThrow('missing --name; example: --name kittens');
});
