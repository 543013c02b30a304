import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../common/runtime/commands.ts';
import { facilitatorProgram } from '../../facilitator/program.ts';
import { FACILITATOR, run } from '../support/child-process.ts';
import {
  aggregateOptions,
  commandLine,
  intakeOptions,
  sampleOptions,
  without,
  type CommandOptions,
} from '../support/command-options.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();

const OPTIONS: Readonly<Record<string, (root: string) => CommandOptions>> = {
  'intake-batch': intakeOptions,
  aggregate: aggregateOptions,
  'generate-ingestion-sample': sampleOptions,
};
const COMMANDS = commandsOf(facilitatorProgram('0.0.0')).map(({ name }) => name);

/** A full command line but for these options; an option of value `undefined` is left out. */
function changed(command: string, changes: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  const names = Object.keys(changes);
  const given = Object.entries(changes).filter(([, value]) => value !== undefined) as [string, string][];
  return [
    ...commandLine(command, without(OPTIONS[command]!(root()), ...names)),
    ...commandLine('', Object.fromEntries(given)).slice(1),
  ];
}

describe('help', () => {
  it.each(COMMANDS)('of %s is pinned, on stdout, and needs nothing else to be right', async (command) => {
    const shown = await runFacilitator([command, '--help']);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    await expect(shown.stdout).toMatchFileSnapshot(`help/${command}.txt`);
    expect(await runFacilitator([command, '--is-first', 'maybe', '--help', '--colour'])).toEqual(shown);
    expect(await runFacilitator([command, '-h'])).toEqual(shown);
  });

  it('of the program is pinned; without a command it is the answer to a mistake', async () => {
    const shown = await runFacilitator(['--help']);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    await expect(shown.stdout).toMatchFileSnapshot('help/facilitator.txt');
    expect(await runFacilitator([])).toEqual({ status: 64, stdout: '', stderr: shown.stdout });
  });

  it('fits a terminal of 100 columns', async () => {
    for (const command of COMMANDS) {
      const { stdout } = await runFacilitator([command, '--help']);
      expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
    }
  });

  it('is what a process shows, too', async () => {
    const { stdout } = await runFacilitator(['aggregate', '--help']);
    expect(await run(FACILITATOR, ['aggregate', '--help'])).toMatchObject({ status: 0, stdout, stderr: '' });
  });
});

describe('--version', () => {
  it('is on stdout', async () => {
    expect(await runFacilitator(['--version'])).toEqual({ status: 0, stdout: 'facilitator 0.0.0\n', stderr: '' });
  });
});

/** Fails unless the run ends as a usage error must: 64, a plain text that has all of `named`, and nothing else done. */
function expectUsageError(
  ran: { status: number | null; stdout: string; stderr: string },
  named: readonly string[],
  command = '',
): void {
  expect(ran).toMatchObject({ status: 64, stdout: '' });
  for (const text of named) expect(ran.stderr).toContain(text);
  expect(ran.stderr).toMatch(new RegExp(`^facilitator ?${command}[^{]*\nsee facilitator ${command}.*--help\n$`));
  expect(filesIn(root())).toEqual([]);
}

describe('a usage error', () => {
  it.each<[string, string, Parameters<typeof changed>[1], readonly string[]]>([
    // The value of an unknown option is not shown: it may be a key.
    ['an unknown option', 'intake-batch', { colour: 'red' }, ['unknown option --colour']],
    ['a misspelt option', 'aggregate', { 'batch-ids': 'x' }, ['--batch-ids', 'did you mean --batch-id?']],
    ['an option of another command', 'intake-batch', { 'portal-output': '/tmp' }, ['unknown option --portal-output']],
    ['an option twice', 'intake-batch', { 'is-first': ['true', 'false'] }, ['--is-first is given 2 times']],
    ['a key twice', 'intake-batch', { 'packet-decryption-keys': ['a', 'b'] }, ['--packet-decryption-keys is given 2']],
    ['an hour without minutes', 'intake-batch', { date: '2026/11/20/10' }, ['--date', '"2026/11/20/10"']],
    ['an ISO time', 'intake-batch', { date: '2026-11-20T10:00' }, ['"2026-11-20T10:00"', '--date 2026/11/20/10/00']],
    ['a day that is none', 'intake-batch', { date: '2026/02/30/10/00' }, ['"2026/02/30/10/00"']],
    ['an hour that is none', 'aggregate', { 'batch-time': ['2026/11/20/24/00'] }, ['--batch-time: "2026/11/20/24/00"']],
    ['no UUID', 'intake-batch', { 'batch-id': 'batch-1' }, ['--batch-id: "batch-1"', 'example: --batch-id b7a4b03c-']],
    ['no UUID among others', 'aggregate', { 'batch-id': ['b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e', '7'] }, ['"7"']],
    [
      '--is-first yes',
      'intake-batch',
      { 'is-first': 'yes' },
      ['"yes" is neither true nor false; example: --is-first t'],
    ],
    ['--is-first TRUE', 'aggregate', { 'is-first': 'TRUE' }, ['--is-first: "TRUE"']],
    ['no aggregation', 'intake-batch', { 'aggregation-id': '' }, ['--aggregation-id: "" is empty', 'kittens-seen']],
    ['no packets', 'generate-ingestion-sample', { 'packet-count': '0' }, ['"0"', 'from 1', '--packet-count 100']],
    ['packets in words', 'generate-ingestion-sample', { 'packet-count': 'abc' }, ['--packet-count: "abc"']],
    ['half a packet', 'generate-ingestion-sample', { 'packet-count': '1.5' }, ['--packet-count: "1.5"']],
    ['257 bins', 'generate-ingestion-sample', { dimension: '257' }, ['--dimension: "257"', 'to 256', '--dimension 20']],
    ['0 bins', 'generate-ingestion-sample', { dimension: '0' }, ['--dimension: "0"']],
    ['--epsilon NaN', 'generate-ingestion-sample', { epsilon: 'NaN' }, ['--epsilon: "NaN"', '--epsilon 0.23']],
    ['an infinite epsilon', 'generate-ingestion-sample', { epsilon: '1e999' }, ['--epsilon: "1e999"']],
    [
      'a start in seconds',
      'generate-ingestion-sample',
      { 'batch-start-time': '1.5e3' },
      ['--batch-start-time: "1.5e3"'],
    ],
    ['a level that is none', 'intake-batch', { 'log-level': 'loud' }, ['--log-level: "loud"', 'debug']],
    ['a key without value', 'intake-batch', { 'packet-decryption-keys': '' }, ['--packet-decryption-keys: (hidden)']],
    [
      'more batch IDs than times',
      'aggregate',
      { 'batch-time': ['2026/11/20/10/00', '2026/11/20/10/01'] },
      ['--batch-id is given 3 times and --batch-time 2 times', 'example: --batch-id'],
    ],
    [
      'a window that ends before it begins',
      'aggregate',
      { 'aggregation-start': '2026/11/20/12/00', 'aggregation-end': '2026/11/20/09/00' },
      ['--aggregation-end 2026/11/20/09/00', '--aggregation-start 2026/11/20/12/00', 'example: --aggregation-start'],
    ],
    [
      'an empty window',
      'aggregate',
      { 'aggregation-start': '2026/11/20/12/00', 'aggregation-end': '2026/11/20/12/00' },
      ['--aggregation-end 2026/11/20/12/00 is not later'],
    ],
  ])('is %s', async (_, command, changes, named) => {
    expectUsageError(await runFacilitator(changed(command, changes)), named, command);
  });

  it.each(Object.keys(OPTIONS))('is no identifier of the signing key in %s', async (command) => {
    const named = [
      'missing --batch-signing-private-key-identifier; example: --batch-signing-private-key-identifier us-',
    ];
    const ran = await runFacilitator(changed(command, { 'batch-signing-private-key-identifier': undefined }));
    expectUsageError(ran, named, command);
  });

  /** There is another way to give these. */
  const ways: Readonly<Record<string, string>> = {
    'batch-signing-private-key': 'missing --batch-signing-private-key or --batch-signing-private-key-file; example: ',
    'packet-decryption-keys': 'missing --packet-decryption-keys or --packet-decryption-keys-file; example: ',
    'ingestor-public-key': 'missing --ingestor-public-key, as --ingestor-public-key-identifier is given',
    'ingestor-public-key-identifier': 'missing --ingestor-public-key-identifier, as --ingestor-public-key is given',
    'peer-public-key': 'missing --peer-public-key, as --peer-public-key-identifier is given',
    'peer-public-key-identifier': 'missing --peer-public-key-identifier, as --peer-public-key is given',
    'portal-output': 'missing --portal-output or --portal-manifest-base-url; example: --portal-output gs://',
  };
  const wayOf = (command: string, name: string): string | undefined =>
    command === 'intake-batch' && name === 'peer-output'
      ? 'missing --peer-output or --peer-manifest-base-url; example: --peer-output gs://'
      : ways[name];
  const optional = ['batch-signing-private-key-identifier', 'own-output'];
  const required = Object.entries(OPTIONS).flatMap(([command, options]) =>
    Object.keys(options(''))
      .filter((name) => !optional.includes(name))
      .filter((name) => command !== 'generate-ingestion-sample' || !['batch-id', 'date'].includes(name))
      .map((name) => [command, name] as const),
  );
  it.each(required)('is %s without --%s', async (command, name) => {
    const ran = await runFacilitator(changed(command, { [name]: undefined }));
    expectUsageError(ran, [wayOf(command, name) ?? `missing --${name}; example: --${name} `], command);
  });

  it('names all that is missing at once', async () => {
    const { stderr } = await runFacilitator(['intake-batch']);
    const names = required.filter(([command]) => command === 'intake-batch').map(([, name]) => name);
    const plain = names.filter((name) => wayOf('intake-batch', name) === undefined);
    expect(plain.filter((name) => !stderr.includes(`--${name}`))).toEqual([]);
    const others = names.filter((name) => !plain.includes(name));
    const without = await runFacilitator(
      changed('intake-batch', Object.fromEntries(others.map((name) => [name, undefined]))),
    );
    expect(others.filter((name) => !without.stderr.includes(`--${name}`))).toEqual([]);
  });

  const STORAGES = Object.entries(OPTIONS).flatMap(([command, options]) =>
    Object.keys(options('/'))
      .filter((name) => /-(?:in|out)put$/.test(name))
      .map((name) => [command, name] as const),
  );
  it.each(STORAGES)('is %s with an --%s that is no storage', async (command, name) => {
    for (const location of ['gs://Bucket/prefix', 's3://us-west-1', 'http://127.0.0.1/', 'memory:', 'file:here']) {
      const named = [`--${name}: "${location}" is no storage`, 'file:///', `example: --${name} file:///`];
      expectUsageError(await runFacilitator(changed(command, { [name]: location })), named, command);
    }
    const empty = await runFacilitator(changed(command, { [name]: '' }));
    expectUsageError(empty, [`--${name}: "" is empty; example: --${name} file:///`], command);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['an unknown command', ['intake'], ['unknown command "intake"']],
    ['a misspelt command', ['agregate'], ['unknown command "agregate"; did you mean aggregate?']],
    [
      'an option without value',
      ['intake-batch', '--date'],
      ['--date needs a value: YYYY/MM/DD/hh/mm; example: --date 2'],
    ],
    ['a word too many', ['aggregate', 'all'], ['unexpected (hidden): aggregate takes options only']],
    ['nothing to inspect', ['inspect'], ['missing FILE…']],
    ['an unknown option before the command', ['--fast=1', 'inspect', 'x'], ['unknown option --fast']],
  ])('is %s', async (_, argv, named) => {
    expectUsageError(await runFacilitator(argv), named);
  });

  it('names the variable if the value came from there', async () => {
    const argv = changed('intake-batch', { date: undefined, 'peer-output': undefined });
    const env = { FACILITATOR_DATE: 'today', PEER_OUTPUT: 'gs://Bucket' };
    const named = ['--date (from FACILITATOR_DATE): "today"'];
    expectUsageError(await runFacilitator(argv, env), named, 'intake-batch');
    const other = { FACILITATOR_DATE: '2026/11/20/10/00', PEER_OUTPUT: 'gs://Bucket' };
    expectUsageError(await runFacilitator(argv, other), ['--peer-output (from PEER_OUTPUT): "gs://Bucket"'], 'intake');
  });

  it('ends a process with 64', async () => {
    expectUsageError(await run(FACILITATOR, changed('intake-batch', { 'is-first': 'yes' })), ['"yes"'], 'intake-batch');
    expectUsageError(await run(FACILITATOR, changed('aggregate', { 'portal-output': 's4://a/b' })), ['s4://a/b']);
  });
});
