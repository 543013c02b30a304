import { beforeEach, describe, expect, it } from 'vitest';
import { aggregateClaim, leaseKey } from '../../common/domain/marker.ts';
import { StorageUnavailable } from '../../common/errors.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { runPublisher } from '../../workflow-manager/run.ts';
import {
  aggregateMessage,
  batchAt,
  failing,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  listed,
  newRun,
  SETTINGS,
  WINDOW,
  World,
  type Around,
} from '../support/publisher.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

const failures = ({ lines }: ReturnType<typeof newRun>): unknown[] =>
  lines.filter(({ message }) => message === 'aggregation failed').map(({ aggregation_id }) => aggregation_id);

/** Three aggregations, each with a batch to take in and a window to sum. */
async function threeAggregations(): Promise<void> {
  for (const id of ['a', 'b', 'c']) {
    await world.ingest(id, batchAt(IN_INTAKE));
    await world.complete(id, batchAt(IN_WINDOW));
  }
}

describe('a run over several aggregations', () => {
  it('does all of each in turn', async () => {
    await threeAggregations();
    const { published, held } = await runPublisher(world, SETTINGS, newRun());
    expect([...published.keys()]).toEqual(['a', 'b', 'c']);
    expect(held).toEqual([]);
    expect(world.intakeTasks.bodies).toEqual(['a', 'b', 'c'].map((id) => intakeMessage(id)));
    expect(world.aggregateTasks.bodies).toEqual(
      ['a', 'b', 'c'].map((id) => aggregateMessage(id, WINDOW, [batchAt(IN_WINDOW)])),
    );
  });

  it.each([
    { what: 'listing of batches', around: failing('list', 'ingestion', 'b/'), done: [] },
    { what: 'listing of markers', around: failing('list', 'own-validation', 'intake-b-'), done: ['aggregate'] },
    { what: 'listing of claims', around: failing('list', 'own-validation', 'task-claims/aggregate-b-'), done: [] },
    { what: 'listing of the peer’s validations', around: failing('list', 'peer-validation', 'b/'), done: ['intake'] },
    { what: 'listing of our validations', around: failing('list', 'own-validation', 'b/'), done: ['intake'] },
    { what: 'claim', around: failing('createIfAbsent', 'own-validation', 'aggregate-b-'), done: ['intake'] },
    { what: 'lease', around: failing('createIfAbsent', 'own-validation', 'b.lease'), done: [] },
    { what: 'look at the lease', around: failing('get', 'own-validation', 'b.lease'), done: [] },
    { what: 'intake task', around: failing('publish', 'intake-tasks', '"b"'), done: ['aggregate'] },
    { what: 'aggregate task', around: failing('publish', 'aggregate-tasks', '"b"'), done: ['intake'] },
  ])('does the others if a $what of one fails, and names it', async ({ around, done }) => {
    await threeAggregations();
    const run = newRun();
    await expect(runPublisher(world.through(around), SETTINGS, run)).rejects.toMatchObject({
      code: 'E_AGGREGATIONS_FAILED',
      message: 'aggregations failed: b; the others are done',
    });
    const which = (stage: string): string[] => ['a', 'b', 'c'].filter((id) => id !== 'b' || done.includes(stage));
    expect(world.intakeTasks.bodies).toEqual(which('intake').map((id) => intakeMessage(id)));
    expect(world.aggregateTasks.bodies).toHaveLength(which('aggregate').length);
    expect(new Set(failures(run))).toEqual(new Set(['b']));
    // Nothing that failed is in the way of the next run.
    await runPublisher(world, SETTINGS, newRun());
    expect(world.intakeTasks.bodies.toSorted()).toEqual(['a', 'b', 'c'].map((id) => intakeMessage(id)));
    expect(world.aggregateTasks.bodies).toHaveLength(3);
  });

  it('publishes the other tasks of an aggregation if some fail, and those with the next run', async () => {
    for (let n = 1; n <= 5; n++) await world.ingest('a', batchAt(IN_INTAKE, n));
    const run = newRun();
    const around = failing('publish', 'intake-tasks', batchAt(IN_INTAKE, 3).id);
    await expect(runPublisher(world.through(around), SETTINGS, run)).rejects.toThrow('failed');
    expect(world.intakeTasks.bodies).toEqual([1, 2, 4, 5].map((n) => intakeMessage('a', n)));
    expect(run.lines.filter(({ severity }) => severity === 'ERROR')).toMatchObject([
      { message: 'task could not be published', batch_id: batchAt(IN_INTAKE, 3).id, error: 'the queue failed' },
      { message: 'aggregation failed', error_code: 'E_PUBLISHING', error: '1 tasks could not be published' },
    ]);
    await runPublisher(world, SETTINGS, newRun());
    expect(world.intakeTasks.bodies.slice(4)).toEqual([intakeMessage('a', 3)]);
  });

  it('fails at once if the aggregations cannot be listed', async () => {
    await threeAggregations();
    const around: Around = async (call, proceed) => {
      if (call.method === 'list' && call.key === '') throw new StorageUnavailable('storage failed');
      return proceed();
    };
    await expect(runPublisher(world.through(around), SETTINGS, newRun())).rejects.toThrow('storage failed');
    expect(world.intakeTasks.bodies).toEqual([]);
  });

  it('shows the stack of an error that nobody has named', async () => {
    await threeAggregations();
    const run = newRun();
    const around: Around = async (call, proceed) => {
      if (call.key === 'b/') throw new TypeError('a bug');
      return proceed();
    };
    await expect(runPublisher(world.through(around), SETTINGS, run)).rejects.toThrow('aggregations failed: ');
    const [line] = run.lines.filter(({ severity }) => severity === 'ERROR');
    expect(line).toMatchObject({ aggregation_id: 'b', error_code: 'E_UNEXPECTED', error: 'a bug' });
    expect(line?.['stack']).toContain('TypeError');
  });
});

describe('the lease', () => {
  it('of another run has an aggregation left to it, which is no failure', async () => {
    await threeAggregations();
    const lease = JSON.stringify({ 'run-id': 'somebody', 'expires-at': '2024-11-20T16:00:01Z' });
    await world.ownValidation.put(leaseKey('b'), Buffer.from(lease));
    const run = newRun();
    const { published, held } = await runPublisher(world, SETTINGS, run);
    expect([...published.keys()]).toEqual(['a', 'c']);
    expect(held).toEqual(['b']);
    expect(run.lines).toContainEqual(
      expect.objectContaining({
        severity: 'INFO',
        aggregation_id: 'b',
        message: expect.stringContaining('another run'),
      }),
    );
    expect(await listed(world.ownValidation, aggregateClaim('b', WINDOW))).toEqual([]);
    expect((await readObject(world.ownValidation, leaseKey('b'))).toString()).toBe(lease);
  });

  it('is by real time, also where a run plans as if it were another', async () => {
    await threeAggregations();
    const run = newRun({ clock: () => new Date('2031-01-01T00:00Z'), leaseDurationMs: 1000 });
    let seen = '';
    const around: Around = async (call, proceed) => {
      if (call.method === 'publish') seen = (await readObject(world.ownValidation, leaseKey('a'))).toString();
      return proceed();
    };
    await runPublisher(world.through(around), SETTINGS, run);
    expect(JSON.parse(seen)).toMatchObject({ 'expires-at': '1970-01-01T00:00:00.000Z' });
    await world.ingest('a', batchAt(IN_INTAKE, 2));
    await runPublisher(world.through(around), SETTINGS, run);
    expect(JSON.parse(seen)).toEqual({ 'run-id': run.runId, 'expires-at': '2031-01-01T00:00:01.000Z' });
  });

  it('is given back, also by a run that fails', async () => {
    await threeAggregations();
    await expect(runPublisher(world.through(failing('list', 'ingestion', '/')), SETTINGS, newRun())).rejects.toThrow(
      'aggregations failed: a, b, c;',
    );
    for (const id of ['a', 'b', 'c']) {
      const lease = (await readObject(world.ownValidation, leaseKey(id))).toString();
      expect(JSON.parse(lease)).toMatchObject({ 'expires-at': '1970-01-01T00:00:00.000Z' });
    }
  });

  it('if lost, ends the aggregation, and the others are done', async () => {
    await threeAggregations();
    for (let n = 2; n <= 4; n++) await world.ingest('b', batchAt(IN_INTAKE, n));
    const lease = JSON.stringify({ 'run-id': 'somebody', 'expires-at': '2024-11-20T17:00:00Z' });
    const around: Around = async (call, proceed) => {
      const answer = await proceed();
      if (call.key === intakeMessage('b', 2)) await world.ownValidation.put(leaseKey('b'), Buffer.from(lease));
      return answer;
    };
    const run = newRun();
    const settings = { ...SETTINGS, maxEnqueueWorkers: 1 };
    await expect(runPublisher(world.through(around), settings, run)).rejects.toThrow(
      'aggregations failed: b; the others are done',
    );
    expect(world.intakeTasks.bodies).toEqual([
      intakeMessage('a'),
      intakeMessage('b', 1),
      intakeMessage('b', 2),
      intakeMessage('c'),
    ]);
    expect(await listed(world.ownValidation, aggregateClaim('b', WINDOW))).toEqual([]);
    expect((await readObject(world.ownValidation, leaseKey('b'))).toString()).toBe(lease);
    const errors = run.lines.filter(({ severity }) => severity === 'ERROR');
    expect(errors).toMatchObject([{ error_code: 'E_LEASE_LOST', aggregation_id: 'b' }]);
  });
});

describe('a signal', () => {
  it('ends the run: what is in flight is finished and marked, and the lease given back', async () => {
    for (let n = 1; n <= 9; n++) await world.ingest('a', batchAt(IN_INTAKE, n));
    await world.ingest('b', batchAt(IN_INTAKE));
    const stop = new AbortController();
    const around: Around = async (call, proceed) => {
      if (call.key === intakeMessage('a', 5)) stop.abort(new Error('stopped by SIGTERM'));
      await new Promise(setImmediate);
      return proceed();
    };
    const settings = { ...SETTINGS, maxEnqueueWorkers: 3 };
    const run = newRun({ signal: stop.signal });
    await expect(runPublisher(world.through(around), settings, run)).rejects.toThrow('stopped by SIGTERM');
    expect(world.intakeTasks.bodies).toEqual([1, 2, 3, 4, 5, 6].map((n) => intakeMessage('a', n)));
    expect(await listed(world.ownValidation, 'task-markers/')).toHaveLength(6);
    // To be stopped is no failure of the aggregation.
    expect(run.lines.filter(({ message }) => message !== 'task published')).toEqual([]);
    // At once, as the lease is free.
    await runPublisher(world, SETTINGS, newRun());
    expect(world.intakeTasks.bodies).toHaveLength(10);
  });
});
