import { expect, expectTypeOf, it } from 'vitest';
import { UsageError } from '../../../common/errors.ts';
import { command, type CommandContext } from '../../../common/runtime/command.ts';
import { flag, integer, text } from '../../../common/runtime/option-values.ts';
import { memoryLogger } from '../../support/memory-log.ts';

const context: CommandContext = {
  log: memoryLogger().log,
  clock: () => new Date(0),
  stdout: { write: async () => true },
  randomBytes: (count) => new Uint8Array(count),
  signal: new AbortController().signal,
  stopNow: () => new AbortController().signal,
  atEnd: () => {},
  stopwatch: () => 0,
};
const input = { commandLine: new Map([['n', ['5']]]), env: {}, envPrefix: 'T', words: ['a', 'b'] };

it('hands arguments, words and what was prepared to run, all typed', async () => {
  const seen: unknown[] = [];
  const bound = command({
    name: 'c',
    describe: 'd',
    options: { n: integer(0, 9, { describe: 'd', required: true }), 'is-first': flag({ describe: 'd' }) },
    words: { name: 'file', describe: 'd' },
    check: (args) => expectTypeOf(args.n).toEqualTypeOf<number>(),
    prepare: async (args) => ({ doubled: args.n * 2 }),
    run: async (args, _context, prepared) => {
      expectTypeOf(args['is-first']).toEqualTypeOf<boolean | undefined>();
      expectTypeOf(args.file).toEqualTypeOf<readonly string[]>();
      expectTypeOf(prepared).toEqualTypeOf<{ doubled: number }>();
      // @ts-expect-error no such option
      void args.m;
      seen.push(args, prepared);
    },
  }).bind(input);
  const work = await bound.prepare(context);
  expect(seen).toEqual([]);
  await work();
  expect(seen).toEqual([{ n: 5, 'is-first': undefined, file: ['a', 'b'] }, { doubled: 10 }]);
});

it('needs neither prepare nor words nor check', async () => {
  const seen: unknown[] = [];
  const bound = command({
    name: 'c',
    describe: 'd',
    options: {},
    run: async (args, _context, prepared) => {
      expectTypeOf(prepared).toEqualTypeOf<undefined>();
      seen.push(args, prepared);
    },
  }).bind(input);
  await (
    await bound.prepare(context)
  )();
  expect(seen).toEqual([{}, undefined]);
});

it('checks rules across options before anything is prepared', () => {
  const refusing = command({
    name: 'c',
    describe: 'd',
    options: { n: text({ describe: 'd', example: 'x' }) },
    check: (args) => {
      throw new UsageError(`--n ${args.n} will not do`);
    },
    prepare: () => expect.fail('prepared'),
    run: async () => expect.fail('run'),
  });
  expect(() => refusing.bind(input)).toThrow(new UsageError('--n 5 will not do'));
});
