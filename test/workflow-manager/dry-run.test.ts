import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { aggregateClaim } from '../../common/domain/marker.ts';
import { run } from '../support/child-process.ts';
import { logLines, type LogLine } from '../support/log-lines.ts';
import {
  aggregateMessage,
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  messagesIn,
  NOW,
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
import { temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();
let places: Places;

const OLD_WINDOW = windowOf('2024-11-13T00:00Z', '2024-11-13T03:00Z');
const OLD_TASK = aggregateMessage('a', OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]);
/** What is published at `NOW`. */
const INTAKE = [intakeMessage('a-b'), intakeMessage('a', 1), intakeMessage('a', 2)];
const AGGREGATE = [
  aggregateMessage('a-b', WINDOW, [batchAt(IN_WINDOW)]),
  OLD_TASK,
  aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)]),
];

function writeComplete(id: string, time: string): void {
  writeObjects(places.ingestion, objectsOf(id, batchAt(time), 'batch'));
  writeObjects(places.ownValidation, objectsOf(id, batchAt(time), 'validity_1'));
  writeObjects(places.peerValidation, objectsOf(id, batchAt(time), 'validity_0'));
}

beforeEach(() => {
  places = placesIn(root());
  for (const id of ['a', 'a-b']) {
    writeObjects(places.ingestion, objectsOf(id, batchAt(IN_INTAKE), 'batch'));
    writeComplete(id, IN_WINDOW);
  }
  writeObjects(places.ingestion, [...objectsOf('a', batchAt(IN_INTAKE, 2), 'batch'), 'a/2024/11/20/15/30/stray']);
  // Beyond the reach of intake.
  writeComplete('a', '2024-11-22T13:00Z');
  mkdirSync(join(places.ownValidation, 'task-claims'));
  writeFileSync(join(places.ownValidation, aggregateClaim('a', OLD_WINDOW)), OLD_TASK);
});

/** Everything below the root with content and time of change, directories too. */
function snapshot(directory = root()): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const stats = lstatSync(path, { bigint: true });
    const is = stats.isDirectory() ? 'directory' : createHash('sha256').update(readFileSync(path)).digest('hex');
    return [`${path} ${stats.ino} ${stats.mtimeNs} ${is}`, ...(stats.isDirectory() ? snapshot(path) : [])];
  });
}

/** The messages that a dry run says it would publish to a topic, in order. */
function plannedFor(topic: string, stdout: string): string[] {
  const prefix = `would publish to file://${topic}: `;
  return stdout
    .split('\n')
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length));
}

const argv = (changes: Record<string, string> = {}): string[] =>
  argumentsOf({ ...publisherOptions(root()), ...changes });

describe('--dry-run', () => {
  it('shows what a real run then publishes, and changes nothing', async () => {
    const before = snapshot();
    const dry = await run(WORKFLOW_MANAGER, [...argv(), '--dry-run']);
    expect(dry).toMatchObject({ status: 0, signal: null });
    expect(snapshot()).toEqual(before);
    expect(plannedFor(places.intakeTasks, dry.stdout).toSorted()).toEqual(INTAKE.toSorted());
    expect(plannedFor(places.aggregateTasks, dry.stdout).toSorted()).toEqual(AGGREGATE.toSorted());
    // Markers and claims belong to the plan.
    const { stdout } = dry;
    expect(stdout).toContain(`would create ${aggregateClaim('a', WINDOW)} in file://${places.ownValidation} (`);
    expect(stdout.split('\n').filter((line) => line.startsWith('would create task-markers/'))).toHaveLength(6);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('would '))).toEqual([]);

    const real = await run(WORKFLOW_MANAGER, [...argv(), '--dry-run=false']);
    expect(real).toMatchObject({ status: 0, stdout: '' });
    expect(messagesIn(places.intakeTasks).toSorted()).toEqual(INTAKE.toSorted());
    expect(messagesIn(places.aggregateTasks).toSorted()).toEqual(AGGREGATE.toSorted());
    const counts = (stderr: string): unknown =>
      logLines(stderr)
        .filter(({ message }) => message === 'aggregation published')
        .map((line) => ({ ...line, time: undefined }))
        .toSorted((a: LogLine, b: LogLine) => (String(a['aggregation_id']) < String(b['aggregation_id']) ? -1 : 1));
    expect(counts(dry.stderr)).toEqual(counts(real.stderr));

    const after = snapshot();
    const again = await run(WORKFLOW_MANAGER, [...argv(), '--dry-run']);
    expect(plannedFor(places.intakeTasks, again.stdout)).toEqual([]);
    expect(plannedFor(places.aggregateTasks, again.stdout)).toEqual([]);
    expect(snapshot()).toEqual(after);
  });

  it.each<[string, string[], string[]]>([
    [
      '2024-11-22T16:00:00.000Z',
      [],
      [
        OLD_TASK,
        aggregateMessage('a', windowOf('2024-11-22T12:00Z', '2024-11-22T15:00Z'), [batchAt('2024-11-22T13:00Z')]),
      ],
    ],
    ['202411221400', [intakeMessage('a', 1, '2024-11-22T13:00Z')], [OLD_TASK]],
    ['9999-12-01T00:00Z', [], [OLD_TASK]],
    ['0001-02-01T00:00Z', [], [OLD_TASK]],
  ])('plans as of %s, later than now too', async (asOf, intake, aggregate) => {
    const before = snapshot();
    const { status, stdout } = await runPublisherCommand([...argv({ 'as-of': asOf }), '--dry-run']);
    expect(status).toBe(0);
    expect(plannedFor(places.intakeTasks, stdout).toSorted()).toEqual(intake.toSorted());
    expect(plannedFor(places.aggregateTasks, stdout).toSorted()).toEqual(aggregate.toSorted());
    expect(snapshot()).toEqual(before);
  });

  it('in a future that a process sees', async () => {
    const before = snapshot();
    const asOf = '9000-01-01T00:00:00Z';
    const ran = await run(WORKFLOW_MANAGER, [...argv({ 'as-of': asOf }), '--dry-run', 'true']);
    expect(ran).toMatchObject({ status: 0 });
    expect(plannedFor(places.aggregateTasks, ran.stdout)).toEqual([OLD_TASK]);
    expect(snapshot()).toEqual(before);
  });

  it('fails as the real run would, and changes nothing', async () => {
    writeObjects(places.ingestion, objectsOf('c', batchAt(IN_WINDOW), 'batch'));
    writeObjects(places.peerValidation, objectsOf('c', batchAt(IN_WINDOW), 'validity_0'));
    const before = snapshot();
    const { status, stdout, stderr } = await runPublisherCommand([...argv(), '--dry-run']);
    expect(status).toBe(1);
    expect(stderr).toContain('--own-output');
    expect(plannedFor(places.aggregateTasks, stdout).toSorted()).toEqual(AGGREGATE.toSorted());
    expect(snapshot()).toEqual(before);
  });

  it('leaves an aggregation to the run that holds its lease', async () => {
    const expiresAt = new Date(NOW.getTime() + 1000).toISOString();
    const lease = JSON.stringify({ 'run-id': 'somebody', 'expires-at': expiresAt });
    writeFileSync(join(places.ownValidation, 'task-claims/a.lease'), lease);
    const before = snapshot();
    const { status, stdout } = await runPublisherCommand([...argv(), '--dry-run']);
    expect(status).toBe(0);
    expect(plannedFor(places.intakeTasks, stdout)).toEqual([intakeMessage('a-b')]);
    expect(snapshot()).toEqual(before);
  });

  it.each([[['--dry-run=false']], [['--dry-run', 'false']]])('said as %j is none', async (flag) => {
    expect(await runPublisherCommand([...argv(), ...flag])).toMatchObject({ status: 0, stdout: '' });
    expect(messagesIn(places.intakeTasks).toSorted()).toEqual(INTAKE.toSorted());
  });

  it('waits for its output, and fails if the plan cannot be shown', async () => {
    let written = '';
    const slow = new Writable({
      write: (chunk: Buffer, _, done) => {
        written += chunk.toString();
        setImmediate(done);
      },
    });
    expect(await runPublisherCommand([...argv(), '--dry-run'], {}, slow)).toMatchObject({ status: 0 });
    expect(plannedFor(places.aggregateTasks, written).toSorted()).toEqual(AGGREGATE.toSorted());

    const full = new Writable({ write: (_chunk, _encoding, done) => setImmediate(done, new Error('no space left')) });
    const ran = await runPublisherCommand([...argv(), '--dry-run'], {}, full);
    expect(ran.status).toBe(1);
    expect(logLines(ran.stderr).at(-1)).toMatchObject({ severity: 'ERROR', error: 'no space left' });
  });

  it('is taken from the environment, too', async () => {
    const before = snapshot();
    const { stdout } = await runPublisherCommand(argv(), { WORKFLOW_MANAGER_DRY_RUN: 'true' });
    expect(plannedFor(places.intakeTasks, stdout).toSorted()).toEqual(INTAKE.toSorted());
    expect(snapshot()).toEqual(before);
  });
});
