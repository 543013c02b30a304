import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { publishCommand } from '../../workflow-manager/command.ts';
import { run } from '../support/child-process.ts';
import { logLines } from '../support/log-lines.ts';
import {
  aggregateMessage,
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  messagesIn,
  objectsOf,
  placesIn,
  publisherOptions,
  runPublisherCommand,
  WINDOW,
  windowOf,
  WORKFLOW_MANAGER,
  writeObjects,
  type Places,
} from '../support/publisher.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();
let places: Places;
beforeEach(() => {
  places = placesIn(root());
  mkdirSync(places.ingestion);
});

/** A full command line but for these options; `undefined` leaves one out. */
function changed(changes: Readonly<Record<string, string | undefined>>): string[] {
  return argumentsOf({ ...publisherOptions(root()), ...changes });
}

describe('help', () => {
  it('is pinned, on stdout, and needs nothing else to be right', async () => {
    const shown = await runPublisherCommand(['--help']);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    await expect(shown.stdout).toMatchFileSnapshot('help/workflow-manager.txt');
    expect(await runPublisherCommand(['--is-first=maybe', '--colour', '--help'])).toEqual(shown);
    expect(shown.stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  it('names the variable of every option', async () => {
    const { stdout } = await runPublisherCommand(['--help']);
    for (const [name, { hidden }] of Object.entries(publishCommand.options)) {
      if (hidden) continue;
      expect(stdout).toContain(`--${name} `);
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
        `env: WORKFLOW_MANAGER_${name.toUpperCase().replaceAll('-', '_')}]`,
      );
    }
  });

  it('is what a process shows, too', async () => {
    const { stdout } = await runPublisherCommand(['--help']);
    expect(await run(WORKFLOW_MANAGER, ['--help'])).toMatchObject({ status: 0, stdout, stderr: '' });
  });
});

describe('--version', () => {
  it('is on stdout', async () => {
    const shown = { status: 0, stdout: 'workflow-manager 0.0.0\n', stderr: '' };
    expect(await runPublisherCommand(['--version'])).toEqual(shown);
  });
});

/** Fails unless the run ends as a usage error must: 64, a plain text that has all of `named`, and nothing else done. */
function expectUsageError(
  ran: { status: number | null; stdout: string; stderr: string },
  named: readonly string[],
): void {
  expect(ran).toMatchObject({ status: 64, stdout: '' });
  for (const text of named) expect(ran.stderr).toContain(text);
  expect(ran.stderr).toMatch(/^workflow-manager: [^{]*\nsee workflow-manager --help\n$/);
  expect(filesIn(root())).toEqual([]);
}

describe('a usage error', () => {
  it.each<[string, Parameters<typeof changed>[0], readonly string[]]>([
    ['an unknown option', { colour: 'red' }, ['unknown option --colour']],
    ['a misspelt option', { 'ingestor-inputs': '/tmp' }, ['did you mean --ingestor-input?']],
    ['an option of the facilitator', { 'own-output': '/tmp' }, ['unknown option --own-output']],
    ['--is-first=yes', { 'is-first': 'yes' }, ['--is-first: "yes" is neither true nor false']],
    ['--dry-run=1', { 'dry-run': '1' }, ['--dry-run: "1"']],
    ['no duration', { 'intake-max-age': '90' }, ['--intake-max-age: "90"', 'example: --intake-max-age 3h']],
    ['a duration in days', { 'grace-period': '1d' }, ['--grace-period: "1d"']],
    ['a negative duration', { 'grace-period': '-1h' }, ['--grace-period: "-1h" is negative']],
    ['a period of seconds', { 'aggregation-period': '30s' }, ['--aggregation-period: "30s" is less than 1m']],
    ['a period with seconds', { 'aggregation-period': '1m30s' }, ['--aggregation-period must be whole minutes']],
    ['a period of 0', { 'aggregation-period': '0' }, ['--aggregation-period: "0"']],
    ['a lease of milliseconds', { 'lease-duration': '999ms' }, ['--lease-duration: "999ms" is less than 1s']],
    ['no workers', { 'max-enqueue-workers': '0' }, ['--max-enqueue-workers: "0"', 'from 1 to 10000']],
    ['too many workers', { 'max-enqueue-workers': '10001' }, ['--max-enqueue-workers: "10001"']],
    ['a queue of nobody', { 'task-queue-kind': 'rabbitmq' }, ['--task-queue-kind: "rabbitmq"', 'aws-sns, local']],
    ['no project', { 'task-queue-kind': 'gcp-pubsub', 'intake-tasks-topic': 'intake' }, ['--gcp-project-id']],
    [
      'no region',
      { 'task-queue-kind': 'aws-sns', 'intake-tasks-topic': 'arn:aws:sns:eu-west-1:123456789012:t' },
      ['--aws-sns-region'],
    ],
    ['no windows', { 'aggregation-lookback': '0' }, ['--aggregation-lookback: "0"']],
    ['a form of output', { output: 'yaml' }, ['--output: "yaml"', 'text, json']],
    ['a gateway that is none', { 'push-gateway': 'ftp://host' }, ['--push-gateway']],
    ['an override in ISO', { 'aggregation-override-timestamp': '2024-11-20T12:00Z' }, ['--aggregation-override-']],
    ['an override that is no date', { 'aggregation-override-timestamp': '202413011200' }, ['"202413011200"']],
    ['--as-of in words', { 'as-of': 'yesterday' }, ['--as-of: "yesterday"', 'example: --as-of 2026-11-20T10:00']],
    ['--as-of a day that is none', { 'as-of': '2023-02-29T10:00Z' }, ['--as-of: "2023-02-29T10:00Z"']],
    ['--as-of later than now', { 'as-of': '2024-11-20T16:00:00.001Z' }, ['later than now, which only --dry-run may']],
    ['--as-of later in an offset', { 'as-of': '2024-11-20T16:00:00-00:01' }, ['--as-of 2024-11-20T16:01:00.000Z']],
    ['a storage that is none', { 'ingestor-input': 'http://127.0.0.1/' }, ['--ingestor-input: "http://127.0.0.1/"']],
    ['an empty storage', { 'peer-validation-input': '' }, ['--peer-validation-input: "" is empty']],
    ['a topic of a cloud', { 'intake-tasks-topic': 'arn:aws:sns:us-west-1:1:t' }, ['--intake-tasks-topic', 'arn:aws']],
    ['an empty topic', { 'aggregate-tasks-topic': '' }, ['--aggregate-tasks-topic: "" is empty']],
  ])('is %s', async (_, changes, named) => {
    expectUsageError(await runPublisherCommand(changed(changes)), named);
  });

  it('is one topic for both kinds of tasks, however it is spelt', async () => {
    for (const topic of [places.intakeTasks, `${places.intakeTasks}/`, join(root(), '.', 'x', '..', 'intake-tasks')]) {
      const ran = await runPublisherCommand(changed({ 'aggregate-tasks-topic': topic }));
      expectUsageError(ran, ['--intake-tasks-topic and --aggregate-tasks-topic are the same']);
    }
  });

  const required = Object.entries(publishCommand.options).filter(([, spec]) => !spec.fallback);
  it.each(required.map(([name]) => name))('is no --%s', async (name) => {
    const ran = await runPublisherCommand(changed({ [name]: undefined }));
    expectUsageError(ran, [`missing --${name}; example: --${name} `]);
  });

  it('names all that is missing at once', async () => {
    const { stderr } = await runPublisherCommand([]);
    expect(required).toHaveLength(6);
    expect(required.filter(([name]) => !stderr.includes(`--${name}`))).toEqual([]);
  });

  it.each<[string, readonly string[], string]>([
    ['a word', ['publish'], 'unexpected "publish"'],
    ['an option without value', ['--grace-period'], '--grace-period needs a value'],
    ['an option twice', ['--grace-period=1h', '--grace-period=2h'], '--grace-period is given 2 times'],
  ])('is %s', async (_, more, named) => {
    const argv = [...changed({ 'grace-period': undefined }), ...more];
    expectUsageError(await runPublisherCommand(argv), [named]);
  });

  it('names the variable if the value came from there', async () => {
    const env = { WORKFLOW_MANAGER_GRACE_PERIOD: 'long' };
    expectUsageError(await runPublisherCommand(changed({}), env), ['--grace-period (from WORKFLOW_MANAGER_GRACE']);
  });

  it('ends a process with 64', async () => {
    expectUsageError(await run(WORKFLOW_MANAGER, changed({ 'dry-run': 'yes' })), ['"yes"']);
    expectUsageError(await run(WORKFLOW_MANAGER, changed({ 'as-of': '9999-01-01T00:00Z' })), ['later than now']);
  });
});

describe('a configuration that cannot work', () => {
  it('is an ingestion storage that is not there: 78, and nothing is done', async () => {
    const missing = join(root(), 'missing');
    const ran = await runPublisherCommand(changed({ 'ingestor-input': missing }));
    expect(ran).toMatchObject({ status: 78, stdout: '' });
    expect(logLines(ran.stderr)).toMatchObject([
      { severity: 'ERROR', error_code: 'E_CONFIGURATION', error: expect.stringContaining(missing) },
    ]);
    expect(filesIn(root())).toEqual([]);
  });

  it.each([
    ['ingestor-input', 'own-validation-input'],
    ['ingestor-input', 'peer-validation-input'],
    ['own-validation-input', 'peer-validation-input'],
  ])('is one storage for --%s and --%s, however it is spelt: 78', async (one, other) => {
    const spelt = `file://${publisherOptions(root())[one]}/`;
    const ran = await runPublisherCommand(changed({ [other]: spelt }));
    expect(ran).toMatchObject({ status: 78, stdout: '' });
    expect(logLines(ran.stderr)[0]).toMatchObject({ error_code: 'E_CONFIGURATION' });
    expect(ran.stderr).toContain('must be three storages');
    expect(filesIn(root())).toEqual([]);
  });

  it.each(['own-validation-input', 'intake-tasks-topic', 'aggregate-tasks-topic'])(
    'is a file in the place of --%s: 78',
    async (option) => {
      const file = join(root(), 'file');
      writeFileSync(file, '');
      const ran = await runPublisherCommand(changed({ [option]: file }));
      expect(ran).toMatchObject({ status: 78, stdout: '' });
      expect(filesIn(root())).toEqual(['file']);
    },
  );

  it.each<[string, Parameters<typeof changed>[0], readonly string[]]>([
    [
      'an identity for a directory',
      { 'ingestor-identity': 'me@p.iam.gserviceaccount.com' },
      ['--ingestor-input', 'no identity'],
    ],
    [
      'a region for gs',
      { 'own-validation-input': 'gs://us-west1/bucket' },
      ['--own-validation-input', 'names a region'],
    ],
    [
      'a role for gs',
      { 'peer-validation-input': 'gs://bucket', 'peer-validation-identity': 'arn:aws:iam::123456789012:role/r' },
      ['--peer-validation-input', 'service account'],
    ],
    [
      'a service account for s3',
      { 'peer-validation-input': 's3://eu-west-1/bucket', 'peer-validation-identity': 'me@p.iam.gserviceaccount.com' },
      ['--peer-validation-input', 'arn:'],
    ],
    [
      'topics that nobody can create',
      {
        'gcp-pubsub-create-topics': 'true',
        'task-queue-kind': 'aws-sns',
        'aws-sns-region': 'eu-west-1',
        'intake-tasks-topic': 'arn:aws:sns:eu-west-1:123456789012:i',
        'aggregate-tasks-topic': 'arn:aws:sns:eu-west-1:123456789012:a',
      },
      ['--gcp-pubsub-create-topics'],
    ],
  ])('is %s: 78', async (_, changes, named) => {
    const ran = await runPublisherCommand(changed(changes));
    expect(ran).toMatchObject({ status: 78, stdout: '' });
    for (const text of named) expect(ran.stderr).toContain(text);
    expect(filesIn(root())).toEqual([]);
  });

  it('ends a process with 78', async () => {
    const ran = await run(WORKFLOW_MANAGER, changed({ 'ingestor-input': join(root(), 'missing') }));
    expect(ran).toMatchObject({ status: 78, stdout: '' });
  });
});

const published = (): unknown => ({
  intake: messagesIn(places.intakeTasks),
  aggregate: messagesIn(places.aggregateTasks),
});
const NOTHING = { intake: [], aggregate: [] };
const TASK = { intake: [], aggregate: [aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)])] };

describe('options', () => {
  /** A batch that server 0 can sum, and server 1 cannot. */
  function writeBatchOfPha(): void {
    const batch = batchAt(IN_WINDOW);
    writeObjects(places.ingestion, objectsOf('a', batch, 'batch'));
    writeObjects(places.peerValidation, objectsOf('a', batch, 'validity_1'));
    writeObjects(places.ownValidation, objectsOf('a', batch, 'validity_0'));
  }

  it.each<[readonly string[], Record<string, string>, boolean]>([
    [['--is-first'], {}, true],
    [['--is-first=true'], {}, true],
    [['--is-first', 'true'], {}, true],
    [['--is-first=false'], {}, false],
    [['--is-first', 'false'], {}, false],
    [[], {}, false],
    [[], { WORKFLOW_MANAGER_IS_FIRST: 'true' }, true],
    [['--is-first=false'], { WORKFLOW_MANAGER_IS_FIRST: 'true' }, false],
    // Not one of ours, and not the one of the facilitator.
    [[], { IS_FIRST: 'true', FACILITATOR_IS_FIRST: 'true' }, false],
  ])('%j with %j: first is %s', async (flags, env, isFirst) => {
    writeBatchOfPha();
    const ran = await runPublisherCommand([...changed({ 'is-first': undefined }), ...flags], env);
    expect(ran).toMatchObject({ status: 0, stdout: '' });
    expect(published()).toEqual(isFirst ? TASK : NOTHING);
  });

  it('are all taken from the environment, too', async () => {
    writeBatchOfPha();
    const options = { ...publisherOptions(root()), 'is-first': 'true', 'grace-period': '1h', 'lease-duration': '5s' };
    const env = Object.entries(options).map(([name, value]) => [
      `WORKFLOW_MANAGER_${name.toUpperCase().replaceAll('-', '_')}`,
      value,
    ]);
    expect(await runPublisherCommand([], Object.fromEntries(env))).toMatchObject({ status: 0, stdout: '' });
    expect(published()).toEqual(TASK);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['the defaults', {}, ['15:00', '15:30']],
    ['an intake maximal age', { 'intake-max-age': '59m59s' }, ['15:30']],
    ['none', { 'intake-max-age': '0' }, []],
    ['an older one', { 'intake-max-age': '1h1m' }, ['14:59', '15:00', '15:30']],
    ['another time', { 'as-of': '202411201559' }, ['14:59', '15:00', '15:30']],
  ])('of intake: %s', async (_, changes, want) => {
    const times = ['14:59', '15:00', '15:30'];
    for (const time of times) {
      writeObjects(places.ingestion, objectsOf('a', batchAt(`2024-11-20T${time}Z`), 'batch'));
    }
    expect(await runPublisherCommand(changed(changes))).toMatchObject({ status: 0 });
    const messages = want.map((time) => intakeMessage('a', 1, `2024-11-20T${time}Z`));
    expect(published()).toEqual({ intake: messages, aggregate: [] });
  });

  it.each<[Record<string, string>, string, string]>([
    [{}, '2024-11-20T12:00Z', '2024-11-20T15:00Z'],
    [{ 'grace-period': '1h1m' }, '2024-11-20T09:00Z', '2024-11-20T12:00Z'],
    [{ 'aggregation-period': '1h' }, '2024-11-20T14:00Z', '2024-11-20T15:00Z'],
    [{ 'aggregation-override-timestamp': '202411201159' }, '2024-11-20T09:00Z', '2024-11-20T12:00Z'],
    [{ 'aggregation-override-timestamp': '202411201500' }, '2024-11-20T15:00Z', '2024-11-20T18:00Z'],
    [{ 'as-of': '2024-11-20T16:59+01:00' }, '2024-11-20T09:00Z', '2024-11-20T12:00Z'],
  ])('of the window: %j gives %s to %s', async (changes, begin, end) => {
    for (let hour = 0; hour < 24; hour++) {
      const batch = batchAt(new Date(Date.UTC(2024, 10, 20, hour)));
      writeObjects(places.ingestion, objectsOf('a', batch, 'batch'));
      writeObjects(places.peerValidation, objectsOf('a', batch, 'validity_0'));
    }
    const options = { 'require-own-validation': 'false', 'intake-max-age': '0', ...changes };
    expect(await runPublisherCommand(changed(options))).toMatchObject({ status: 0 });
    const window = windowOf(begin, end);
    const hours = (window.end.getTime() - window.begin.getTime()) / 3_600_000;
    const batches = Array.from({ length: hours }, (_, i) => batchAt(new Date(window.begin.getTime() + i * 3_600_000)));
    expect(messagesIn(places.aggregateTasks)).toEqual([aggregateMessage('a', window, batches)]);
  });

  it('of our own validations: required by default, and by the bare option', async () => {
    writeObjects(places.ingestion, objectsOf('a', batchAt(IN_WINDOW), 'batch'));
    writeObjects(places.peerValidation, objectsOf('a', batchAt(IN_WINDOW), 'validity_0'));
    for (const flags of [[], ['--require-own-validation'], ['--require-own-validation=true']]) {
      const ran = await runPublisherCommand([...changed({}), ...flags]);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toContain('--own-output');
    }
    expect(published()).toEqual(NOTHING);
    expect(await runPublisherCommand(changed({ 'require-own-validation': 'false' }))).toMatchObject({ status: 0 });
    expect(published()).toEqual(TASK);
  });

  it('let nothing be found in storages that are yet to be written to', async () => {
    writeObjects(places.ingestion, objectsOf('a', batchAt(IN_INTAKE), 'batch'));
    expect(await runPublisherCommand(changed({}))).toMatchObject({ status: 0 });
    expect(published()).toEqual({ intake: [intakeMessage('a')], aggregate: [] });
  });
});
