import { mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aggregateClaim, aggregateMarker, intakeMarker, leaseKey } from '../../common/domain/marker.ts';
import { start, type Ended, type ProcessOptions, type Started } from '../support/child-process.ts';
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
  readyIn,
  WINDOW,
  WORKFLOW_MANAGER,
  writeObjects,
  type Places,
} from '../support/publisher.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const BATCHES = 300;
const WORKERS = 5;
const KILL_AT_WRITE = new URL('../support/kill-at-write.mjs', import.meta.url).href;

// Every message, marker and claim is flushed to the disk, of which a busy machine has little.
vi.setConfig({ testTimeout: 90_000 });

const root = temporaryDirectory();
let places: Places;
const begun: Started[] = [];

beforeEach(() => {
  places = placesIn(root());
  for (const n of [1, 3]) writeSummable(n);
  // Only what is there can be watched.
  for (const topic of [places.intakeTasks, places.aggregateTasks]) mkdirSync(readyIn(topic), { recursive: true });
});

afterEach(async () => {
  // A test that failed may have left some.
  for (const { child } of begun) child.kill('SIGKILL');
  await Promise.all(begun.splice(0).map(({ ended }) => ended));
});

function begin(args: readonly string[], options?: ProcessOptions): Started {
  const started = start(WORKFLOW_MANAGER, args, options);
  begun.push(started);
  return started;
}

const publish = (args: readonly string[], options?: ProcessOptions): Promise<Ended> => begin(args, options).ended;

function writeIngested(): void {
  for (let n = 1; n <= BATCHES; n++) writeObjects(places.ingestion, objectsOf('a', batchAt(IN_INTAKE, n), 'batch'));
}

function writeSummable(n: number): void {
  writeObjects(places.ingestion, objectsOf('a', batchAt(IN_WINDOW, n), 'batch'));
  writeObjects(places.ownValidation, objectsOf('a', batchAt(IN_WINDOW, n), 'validity_1'));
  writeObjects(places.peerValidation, objectsOf('a', batchAt(IN_WINDOW, n), 'validity_0'));
}

const INTAKE_MESSAGES = Array.from({ length: BATCHES }, (_, i) => intakeMessage('a', i + 1));
const windowMessage = (...numbers: readonly number[]): string =>
  aggregateMessage(
    'a',
    WINDOW,
    numbers.map((n) => batchAt(IN_WINDOW, n)),
  );

const argv = (changes: Record<string, string> = {}): string[] =>
  argumentsOf({ ...publisherOptions(root()), 'max-enqueue-workers': String(WORKERS), ...changes });

const saysHeld = ({ stderr }: Ended): boolean =>
  logLines(stderr).some(({ message }) => String(message).startsWith('another run is publishing'));

/** Resolves once a directory has `count` files. */
function filled(directory: string, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(directory);
    const look = (): void => {
      if (readdirSync(directory).length < count) return;
      watcher.close();
      resolve();
    };
    watcher.on('change', look);
    watcher.on('error', reject);
    look();
  });
}

/** Starts a run, sends it a signal once a directory has `count` files, and waits for its end. */
async function interrupted(directory: string, count: number, signal: NodeJS.Signals, args: string[]): Promise<Ended> {
  const { child, ended } = begin(args);
  const isFilled = await Promise.race([filled(directory, count).then(() => true), ended.then(() => false)]);
  if (isFilled) child.kill(signal);
  return ended;
}

/** Runs again and again for as long as the lease is held; every one of them leaves the aggregation alone. */
async function runOnceFree(): Promise<Ended> {
  for (;;) {
    const before = messagesIn(places.intakeTasks).length;
    const ended = await publish(argv());
    expect(ended).toMatchObject({ status: 0, signal: null });
    if (!saysHeld(ended)) return ended;
    expect(messagesIn(places.intakeTasks)).toHaveLength(before);
  }
}

function expectAllMarked(): void {
  const markers = INTAKE_MESSAGES.map((_, i) => intakeMarker('a', batchAt(IN_INTAKE, i + 1)));
  const found = filesIn(places.ownValidation).filter((key) => key.startsWith('task-markers/'));
  expect(found).toEqual([aggregateMarker('a', WINDOW), ...markers].toSorted());
}

describe('three runs at once', () => {
  it('publish every task once', async () => {
    writeIngested();
    const ended = await Promise.all([1, 2, 3].map(() => publish(argv())));
    expect(ended).toMatchObject([1, 2, 3].map(() => ({ status: 0, signal: null, stdout: '' })));
    expect(messagesIn(places.intakeTasks).toSorted()).toEqual(INTAKE_MESSAGES);
    expect(messagesIn(places.aggregateTasks)).toEqual([windowMessage(1, 3)]);
    expectAllMarked();
  });
});

describe('a run that is killed', () => {
  it.each([1, 60])('after %d messages has its work done once its lease has expired', async (count) => {
    writeIngested();
    const args = argv({ 'lease-duration': '2s' });
    const killed = await interrupted(readyIn(places.intakeTasks), count, 'SIGKILL', args);
    expect(killed).toMatchObject({ status: null, signal: 'SIGKILL' });
    const published = messagesIn(places.intakeTasks);
    expect(published.length).toBeGreaterThanOrEqual(count);
    expect(published.length).toBeLessThan(BATCHES);
    // It had not come to the window, so that what comes in late counts.
    writeSummable(2);

    await runOnceFree();
    const all = messagesIn(places.intakeTasks);
    expect([...new Set(all)].toSorted()).toEqual(INTAKE_MESSAGES);
    expect(all.length - BATCHES).toBeLessThanOrEqual(WORKERS);
    expect(messagesIn(places.aggregateTasks)).toEqual([windowMessage(1, 2, 3)]);
    expectAllMarked();
  });

  it.each([
    { when: 'before', what: 'not published', repeats: 0 },
    { when: 'after', what: 'not marked', repeats: 1 },
  ])('when a window is claimed but $what leaves it as it was, whatever comes in late', async ({ when, repeats }) => {
    // There is nothing to take in, so that the files are: lease, claim, the window's message.
    const options = { node: ['--import', KILL_AT_WRITE], env: { KILL_AT: '3', KILL_WHEN: when } };
    const killed = await publish(argv({ 'lease-duration': '1s' }), options);
    expect(killed).toMatchObject({ status: null, signal: 'SIGKILL' });
    expect(readFileSync(join(places.ownValidation, aggregateClaim('a', WINDOW)), 'utf8')).toBe(windowMessage(1, 3));
    expect(messagesIn(places.aggregateTasks)).toHaveLength(repeats);
    writeSummable(2);

    await runOnceFree();
    const published = messagesIn(places.aggregateTasks);
    expect(published).toEqual(Array.from({ length: 1 + repeats }, () => windowMessage(1, 3)));
    expect(filesIn(places.ownValidation)).toContain(aggregateMarker('a', WINDOW));

    await runOnceFree();
    expect(messagesIn(places.aggregateTasks)).toEqual(published);
  });
});

describe('a run that is asked to end', () => {
  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])(
    'by %s finishes and marks what is in flight, gives the lease back, and ends with 1',
    async (signal) => {
      writeIngested();
      const ended = await interrupted(readyIn(places.intakeTasks), 25, signal, argv());
      expect(ended).toMatchObject({ status: 1, signal: null, stdout: '' });
      expect(logLines(ended.stderr).at(-1)).toMatchObject({ severity: 'ERROR', error: `stopped by ${signal}` });
      const published = messagesIn(places.intakeTasks);
      expect(published.length).toBeGreaterThanOrEqual(25);
      expect(published.length).toBeLessThan(BATCHES);
      const markers = filesIn(places.ownValidation).filter((key) => key.startsWith('task-markers/'));
      expect(markers).toHaveLength(published.length);
      expect(readFileSync(join(places.ownValidation, leaseKey('a')), 'utf8')).toContain('"1970-01-01T00:00:00.000Z"');

      const next = await publish(argv());
      expect(next.status).toBe(0);
      expect(saysHeld(next)).toBe(false);
      expect(messagesIn(places.intakeTasks).toSorted()).toEqual(INTAKE_MESSAGES);
      expect(messagesIn(places.aggregateTasks)).toEqual([windowMessage(1, 3)]);
      expectAllMarked();
    },
  );
});
