import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { aggregateClaim, aggregateMarker, intakeMarker, MARKER_PREFIX } from '../../common/domain/marker.ts';
import { start, type Ended, type Started } from '../support/child-process.ts';
import { AMAZON, GOOGLE, type CloudWorld, type RunningCloud } from '../support/clouds.ts';
import { logLines } from '../support/log-lines.ts';
import {
  aggregateMessage,
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  NOW,
  objectsOf,
  WINDOW,
  WORKFLOW_MANAGER,
} from '../support/publisher.ts';

/* The program as it is installed, on the stand-ins of clouds. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const AGGREGATIONS = ['a', 'b', 'c', 'd'];
const BATCHES = 500;
const IN_A_WINDOW = 5;
const WORKERS = 50;

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
      expect((await world.messages('aggregateTasks')).toSorted()).toEqual(
        AGGREGATIONS.map((id) => sumOf(id)).toSorted(),
      );
      await expectAllMarked(3);
      expect(await world.read('ownValidation', aggregateClaim('a', WINDOW))).toBe(sumOf('a'));

      const again = await publish();
      expect(again).toMatchObject({ status: 0, signal: null, stdout: '' });
      const summary = logLines(again.stderr).at(-1);
      expect(summary).toMatchObject({ message: 'run finished', intake_tasks_scheduled: 0 });
      // At most 8 for each aggregation; a lease is taken and given back, a claim compared with what is there now.
      const { list, put } = summary?.['storage_requests'] as { list: number; put: number };
      expect(list).toBeLessThanOrEqual(8 * AGGREGATIONS.length);
      expect(put).toBeLessThanOrEqual(3 * AGGREGATIONS.length);
      expect(await world.messages('intakeTasks')).toEqual([]);
      expect(await world.messages('aggregateTasks')).toEqual([]);
    });

    it('changes nothing in a dry run, which prints the plan', async () => {
      await fill(3);
      const before = await world.keys('ownValidation', '');
      const { status, stdout } = await publish({ 'dry-run': 'true' });
      expect(status).toBe(0);
      for (const message of [...intakeMessages(3), ...AGGREGATIONS.map((id) => sumOf(id))]) {
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

    it('three times at once, publishes every task once', async () => {
      await fill(BATCHES);
      const ended = await Promise.all([1, 2, 3].map(() => publish()));
      expect(ended).toMatchObject([1, 2, 3].map(() => ({ status: 0, signal: null, stdout: '' })));
      expect((await world.messages('intakeTasks')).toSorted()).toEqual(intakeMessages(BATCHES));
      expect((await world.messages('aggregateTasks')).toSorted()).toEqual(
        AGGREGATIONS.map((id) => sumOf(id)).toSorted(),
      );
      await expectAllMarked(BATCHES);
    });

    it('three times at once, killed at random and started again, publishes every task, and repeats a chunk at most', async () => {
      await fill(BATCHES);
      const settings = { 'max-enqueue-workers': String(WORKERS), 'lease-duration': '2s' };
      let killed = 0;
      for (let round = 0; round < 3; round++) {
        const published = Math.floor(Math.random() * 400);
        const [atWork, ...others] = [1, 2, 3].map(() => begin(settings));
        // Whoever is the first to have published so many.
        const victims = [atWork!, ...others].map((started) => killedAfter(started, published));
        killed += (await Promise.all(victims)).filter(({ signal }) => signal === 'SIGKILL').length;
      }
      for (;;) {
        const ended = await publish(settings);
        expect(ended.status).toBe(0);
        if (!ended.stderr.includes('another run is publishing')) break;
      }
      const intake = await world.messages('intakeTasks');
      expect([...new Set(intake)].toSorted()).toEqual(intakeMessages(BATCHES));
      expect(intake.length - intakeMessages(BATCHES).length).toBeLessThanOrEqual(killed * WORKERS);
      const aggregate = await world.messages('aggregateTasks');
      expect([...new Set(aggregate)].toSorted()).toEqual(AGGREGATIONS.map((id) => sumOf(id)).toSorted());
      await expectAllMarked(BATCHES);
      expect(killed).toBeGreaterThan(0);
    });
  });
});

/** Kills a run once its log tells of so many tasks, if it comes that far. */
function killedAfter({ child, ended }: Started, tasks: number): Promise<Ended> {
  let seen = 0;
  child.stderr?.on('data', (chunk: Buffer) => {
    seen += chunk.toString().split('"task published"').length - 1;
    if (seen > tasks) child.kill('SIGKILL');
  });
  return ended;
}
