import { describe, expect, it } from 'vitest';
import { ObjectMissing, UsageError } from '../../../common/errors.ts';
import { command } from '../../../common/runtime/command.ts';
import { duration, flag, text } from '../../../common/runtime/option-values.ts';
import type { Program } from '../../../common/runtime/program.ts';
import { runCaptured, type ToyRun } from './toy-program.ts';

/** A program with one command and no word for it. */
function single(run: (args: unknown) => void = () => {}): Program {
  return {
    name: 'single',
    version: '1.2.3',
    envPrefix: 'SINGLE',
    only: command({
      name: 'publish',
      describe: 'publish tasks',
      options: {
        'is-first': flag({ describe: 'whether we are the PHA', default: false }),
        'dry-run': flag({ describe: 'change nothing', default: false, bare: true }),
        'grace-period': duration(60_000, { describe: 'wait so long', default: 3_600_000 }),
      },
      check: (args) => {
        if (args['is-first'] && args['dry-run']) throw new UsageError('--is-first excludes --dry-run');
      },
      run: async (args) => run(args),
    }),
  };
}

const runSingle = (argv: readonly string[], run?: (args: unknown) => void): Promise<ToyRun> =>
  runCaptured(single(run), { argv });

it('--help prints its options', async () => {
  const { status, stdout, stderr } = await runSingle(['--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatchInlineSnapshot(`
    "single [OPTION…]

    publish tasks

    Options:
      --is-first               whether we are the PHA [true or false] [default: false] [example: true]
                               [env: SINGLE_IS_FIRST]
      --dry-run                change nothing [true or false, alone: true] [default: false] [example:
                               true] [env: SINGLE_DRY_RUN]
      --grace-period           wait so long [duration, at least 1m] [default: 1h] [example: 3h] [env:
                               SINGLE_GRACE_PERIOD]
      --help                   show this text                                                  [boolean]
      --version                show the version                                                [boolean]
      --config                 file that gives options: a JSON object of their names, without dashes,
                               and values [text] [example: /etc/dsp/options.json] [env: SINGLE_CONFIG]
      --log-level              least severity of the lines to log [off | critical | error | warning |
                               info | debug | trace] [default: info] [example: debug] [env:
                               SINGLE_LOG_LEVEL, RUST_LOG]
      --force-json-log-output  log JSON also to a terminal [true or false] [default: false] [example:
                               true] [env: SINGLE_FORCE_JSON_LOG_OUTPUT, FORCE_JSON_LOG_OUTPUT]
    "
  `);
});

it('--version prints the version', async () => {
  expect(await runSingle(['--version'])).toMatchObject({ status: 0, stdout: 'single 1.2.3\n' });
});

it.each([
  { argv: [], args: {} },
  { argv: ['--is-first=true', '--grace-period', '1h30m'], args: { 'is-first': true, 'grace-period': 5_400_000 } },
  { argv: ['-is-first=true', '-grace-period=0.5h'], args: { 'is-first': true, 'grace-period': 1_800_000 } },
  { argv: ['--dry-run'], args: { 'dry-run': true } },
  { argv: ['-dry-run', '--is-first', 'false'], args: { 'dry-run': true } },
  { argv: ['--dry-run', 'false', '--log-level', 'debug'], args: {} },
  { argv: ['--dry-run=false'], args: {} },
])('runs with $argv', async ({ argv, args }) => {
  let seen: unknown;
  expect(await runSingle(argv, (args) => (seen = args))).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(seen).toEqual({ 'is-first': false, 'dry-run': false, 'grace-period': 3_600_000, ...args });
});

it.each([
  { argv: ['publish'], message: 'unexpected "publish": single takes options only; quote values that contain blanks' },
  { argv: ['--dry-run', 'yes'], message: 'unexpected "yes": single takes options only' },
  { argv: ['-5'], message: 'unexpected "-5": single takes options only' },
  { argv: ['--dry-run=yes'], message: '--dry-run: "yes" is neither true nor false; example: --dry-run true' },
  { argv: ['--is-first'], message: '--is-first needs a value: true or false; example: --is-first true' },
  { argv: ['--is-frist=true'], message: 'unknown option --is-frist; did you mean --is-first?' },
  { argv: ['--grace-period=-1h'], message: '--grace-period: "-1h" is negative; example: --grace-period 3h' },
  { argv: ['--grace-period', '59s'], message: '--grace-period: "59s" is less than 1m' },
  { argv: ['--is-first=true', '--dry-run'], message: '--is-first excludes --dry-run' },
])('refuses $argv', async ({ argv, message }) => {
  const { status, stdout, stderr } = await runSingle(argv, () => expect.fail('was run'));
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
  expect(stderr.startsWith(`single: ${message}`), stderr).toBe(true);
  expect(stderr.endsWith('\nsee single --help\n'), stderr).toBe(true);
});

it('a failure is that of the program', async () => {
  const { status, lines } = await runSingle([], () => {
    throw new ObjectMissing('gone');
  });
  expect(status).toBe(1);
  expect(lines()).toMatchObject([{ message: 'single failed', error_code: 'E_OBJECT_MISSING' }]);
});

describe('with words', () => {
  const printing: Program = {
    name: 'show',
    version: '1',
    envPrefix: 'SHOW',
    only: command({
      name: 'show',
      describe: 'print files',
      options: { limit: text({ describe: 'most to print', example: '9' }) },
      words: { name: 'file', describe: 'files to print' },
      run: async ({ file }, { stdout }) => void (await stdout.write(file.join(' '))),
    }),
  };

  it('gets all of them', async () => {
    const argv = ['-', 'a', '--limit', '3', '-5', '--', '--limit'];
    expect(await runCaptured(printing, { argv })).toMatchObject({ status: 0, stdout: '- a -5 --limit', stderr: '' });
  });

  it('needs one', async () => {
    const stderr = 'show: missing FILE…: files to print\nsee show --help\n';
    expect(await runCaptured(printing, { argv: [] })).toMatchObject({ status: 64, stderr });
  });

  it('names them in help', async () => {
    const { stdout } = await runCaptured(printing, { argv: ['--help'] });
    expect(stdout).toMatch(/^show \[OPTION…\] FILE…\n\nprint files\n\nFILE…: files to print\n\nOptions:\n/);
  });
});
