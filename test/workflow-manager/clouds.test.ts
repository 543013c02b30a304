import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { aggregateClaim, aggregateMarker, intakeMarker, MARKER_PREFIX } from '../../common/domain/marker.ts';
import { start, type Ended, type Started } from '../support/child-process.ts';
import { AMAZON, GOOGLE, type CloudWorld, type RunningCloud } from '../support/clouds.ts';
import { logLines } from '../support/log-lines.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';
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
  WINDOW,
  WORKFLOW_MANAGER,
} from '../support/publisher.ts';

/* The program as it is installed, on the stand-ins of clouds. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const AGGREGATIONS = ['a', 'b', 'c', 'd'];
const BATCHES = 500;
const IN_A_WINDOW = 5;
const WORKERS = 50;

type Topic = 'intakeTasks' | 'aggregateTasks';

const root = temporaryDirectory();

describe.each([GOOGLE, AMAZON])('the publisher on $name', (cloud) => {
  describe.skipIf(cloud.isMissing(`publishers on ${cloud.name}`))('with its stand-ins', () => {
    let running: RunningCloud;
    let world: CloudWorld;
    beforeAll(async () => {
      running = await cloud.start();
    });
    afterAll(() => running[Symbol.asyncDispose]());
    beforeEach(async () => {
      world = await running.newWorld();
    });

    function begin(changes: Record<string, string> = {}): Started {
      const options = { 'as-of': NOW.toISOString(), 'intake-max-age': '1h', ...world.options, ...changes };
      return start(WORKFLOW_MANAGER, argumentsOf(options), { env: running.env });
    }
    const publish = (changes?: Record<string, string>): Promise<Ended> => begin(changes).ended;

    const sumOf = (id: string): string =>
      aggregateMessage(
        id,
        WINDOW,
        Array.from({ length: IN_A_WINDOW }, (_, i) => batchAt(IN_WINDOW, i + 1)),
      );

    const sums = (): string[] => AGGREGATIONS.map((id) => sumOf(id)).toSorted();

    async function fill(batches: number): Promise<void> {
      for (const id of AGGREGATIONS) {
        const incoming = Array.from({ length: batches }, (_, i) => batchAt(IN_INTAKE, i + 1));
        const summable = Array.from({ length: IN_A_WINDOW }, (_, i) => batchAt(IN_WINDOW, i + 1));
        const all = [...incoming, ...summable];
        await world.write(
          'ingestion',
          all.flatMap((batch) => objectsOf(id, batch, 'batch')),
        );
        await world.write(
          'ownValidation',
          summable.flatMap((batch) => objectsOf(id, batch, 'validity_1')),
        );
        await world.write(
          'peerValidation',
          summable.flatMap((batch) => objectsOf(id, batch, 'validity_0')),
        );
      }
    }
    const intakeMessages = (batches: number): string[] =>
      AGGREGATIONS.flatMap((id) => Array.from({ length: batches }, (_, i) => intakeMessage(id, i + 1))).toSorted();

    async function expectAllMarked(batches: number): Promise<void> {
      const intake = AGGREGATIONS.flatMap((id) =>
        Array.from({ length: batches }, (_, i) => intakeMarker(id, batchAt(IN_INTAKE, i + 1))),
      );
      const windows = AGGREGATIONS.map((id) => aggregateMarker(id, WINDOW));
      expect(await world.keys('ownValidation', MARKER_PREFIX)).toEqual([...windows, ...intake].toSorted());
    }

    it('publishes what there is once, marks it, and has nothing to do in the next run', async () => {
      await fill(3);
      expect(await publish()).toMatchObject({ status: 0, signal: null, stdout: '' });
      expect((await world.messages('intakeTasks')).toSorted()).toEqual(intakeMessages(3));
      expect((await world.messages('aggregateTasks')).toSorted()).toEqual(sums());
      await expectAllMarked(3);
      expect(await world.read('ownValidation', aggregateClaim('a', WINDOW))).toBe(sumOf('a'));

      const again = await publish();
      expect(again).toMatchObject({ status: 0, signal: null, stdout: '' });
      const summary = logLines(again.stderr).at(-1);
      expect(summary).toMatchObject({ message: 'run finished', intake_tasks_scheduled: 0 });
      // At most 8 for each aggregation; a lease is taken and given back, a claim compared with what is there now.
      const requests = summary?.['storage_requests'] as { list: number; put: number } | undefined;
      expect(requests?.list).toBeLessThanOrEqual(8 * AGGREGATIONS.length);
      expect(requests?.put).toBeLessThanOrEqual(3 * AGGREGATIONS.length);
      expect(await world.messages('intakeTasks')).toEqual([]);
      expect(await world.messages('aggregateTasks')).toEqual([]);
    });

    it('changes nothing in a dry run, which prints the plan', async () => {
      await fill(3);
      const before = await world.keys('ownValidation', '');
      const { status, stdout } = await publish({ 'dry-run': 'true' });
      expect(status).toBe(0);
      for (const message of [...intakeMessages(3), ...sums()]) {
        expect(stdout).toContain(`: ${message}\n`);
      }
      expect(await world.keys('ownValidation', '')).toEqual(before);
      expect(await world.messages('intakeTasks')).toEqual([]);
      expect(await world.messages('aggregateTasks')).toEqual([]);
    });

    it.each(['ingestor-input', 'own-validation-input', 'peer-validation-input'])(
      'ends with 78 if the bucket of --%s does not exist, and does nothing',
      async (option) => {
        await fill(1);
        const missing = world.options[option]!.replace(/[\w-]+(\/prefix)?$/, 'no-such-bucket');
        const { status, stdout, stderr } = await publish({ [option]: missing });
        expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
        const line = logLines(stderr).find(({ severity }) => severity === 'ERROR');
        expect(line).toMatchObject({ error_code: 'E_CONFIGURATION' });
        expect(line?.['error']).toContain(`--${option}: `);
        expect(line?.['error']).toContain('no-such-bucket');
        expect(await world.keys('ownValidation', 'task-')).toEqual([]);
        expect(await world.messages('intakeTasks')).toEqual([]);
      },
    );

    it.each(['intake-tasks-topic', 'aggregate-tasks-topic'])(
      'ends with 78 if the topic of --%s does not exist, and does nothing',
      async (option) => {
        await fill(1);
        const { status, stderr } = await publish({ [option]: `${world.options[option]}-missing` });
        expect(status).toBe(78);
        expect(logLines(stderr).find(({ severity }) => severity === 'ERROR')?.['error']).toContain(`--${option}: `);
        expect(await world.keys('ownValidation', 'task-')).toEqual([]);
      },
    );

    /** moto takes minutes to give out thousands of messages, so that the storage alone is Amazon's here. */
    function crowd(): { options: Record<string, string>; messages: (tasks: Topic) => Promise<string[]> } {
      if (cloud !== AMAZON) return { options: {}, messages: (tasks) => world.messages(tasks) };
      const places = placesIn(root());
      return {
        options: {
          'task-queue-kind': 'local',
          'intake-tasks-topic': places.intakeTasks,
          'aggregate-tasks-topic': places.aggregateTasks,
        },
        messages: async (tasks) => messagesIn(places[tasks]),
      };
    }

    it('three times at once, publishes every task once', async () => {
      await fill(BATCHES);
      const { options, messages } = crowd();
      const ended = await Promise.all([1, 2, 3].map(() => publish(options)));
      expect(ended).toMatchObject([1, 2, 3].map(() => ({ status: 0, signal: null, stdout: '' })));
      expect((await messages('intakeTasks')).toSorted()).toEqual(intakeMessages(BATCHES));
      expect((await messages('aggregateTasks')).toSorted()).toEqual(sums());
      await expectAllMarked(BATCHES);
    });

    it('asked to end, finishes and marks what is in flight, and gives the lease back', async () => {
      await fill(BATCHES);
      const { options, messages } = crowd();
      const ended = await signalledAfter(begin({ ...options, 'max-enqueue-workers': String(WORKERS) }), 100, 'SIGTERM');
      expect(ended).toMatchObject({ status: 1, signal: null });
      expect(logLines(ended.stderr).at(-1)).toMatchObject({ error_code: 'E_STOPPED' });
      const done = await messages('intakeTasks');
      expect(done.length).toBeGreaterThan(100);
      expect(done.length).toBeLessThan(intakeMessages(BATCHES).length);
      expect(await world.keys('ownValidation', MARKER_PREFIX)).toHaveLength(done.length);
      // At once, as the leases are free.
      const next = await publish(options);
      expect(next.status).toBe(0);
      expect(next.stderr).not.toContain('another run is publishing');
      await expectAllMarked(BATCHES);
    });

    it('three times at once, killed at random and started again, publishes every task, and repeats a chunk at most', async () => {
      await fill(BATCHES);
      const { options, messages } = crowd();
      const settings = { ...options, 'max-enqueue-workers': String(WORKERS), 'lease-duration': '2s' };
      let killed = 0;
      for (let round = 0; round < 3; round++) {
        // Whichever of them come to publish so many tasks.
        const victims = [1, 2, 3].map(() =>
          signalledAfter(begin(settings), Math.floor(Math.random() * 400), 'SIGKILL'),
        );
        killed += (await Promise.all(victims)).filter(({ signal }) => signal === 'SIGKILL').length;
      }
      for (let held = true; held;) {
        const ended = await publish(settings);
        expect(ended.status).toBe(0);
        held = ended.stderr.includes('another run is publishing');
      }
      const intake = await messages('intakeTasks');
      expect([...new Set(intake)].toSorted()).toEqual(intakeMessages(BATCHES));
      expect(intake.length - intakeMessages(BATCHES).length).toBeLessThanOrEqual(killed * WORKERS);
      expect([...new Set(await messages('aggregateTasks'))].toSorted()).toEqual(sums());
      await expectAllMarked(BATCHES);
      expect(killed).toBeGreaterThan(0);
    });
  });
});

/** Sends a run a signal once its log tells of so many tasks, if it comes that far. */
function signalledAfter({ child, ended }: Started, tasks: number, signal: NodeJS.Signals): Promise<Ended> {
  let [seen, isSent] = [0, false];
  child.stderr?.on('data', (chunk: Buffer) => {
    seen += chunk.toString().split('"task published"').length - 1;
    if (seen <= tasks || isSent) return;
    isSent = child.kill(signal);
  });
  return ended;
}
