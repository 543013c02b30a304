import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { aggregateClaim, aggregateMarker, intakeMarker } from '../../common/domain/marker.ts';
import { decodeAggregateMessage, resolveReference } from '../../common/domain/task.ts';
import { aggregateTraceId } from '../../common/domain/trace-id.ts';
import type { Storage } from '../../common/ports/storage.ts';
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
  objectsOf,
  putAll,
  SETTINGS,
  WINDOW,
  windowOf,
  World,
  type Around,
} from '../support/publisher.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

const OLD_WINDOW = windowOf('2024-11-13T00:00Z', '2024-11-13T03:00Z');

describe('claims', () => {
  it('without marker are published first, whatever their window, by the aggregation they are of', async () => {
    const bodies = ['a', 'a-b'].flatMap((id) => [
      aggregateMessage(id, OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]),
      aggregateMessage(id, WINDOW, [batchAt(IN_WINDOW, 7)]),
    ]);
    for (const [i, id] of ['a', 'a', 'a-b', 'a-b'].entries()) {
      const window = i % 2 === 0 ? OLD_WINDOW : WINDOW;
      await world.ownValidation.put(aggregateClaim(id, window), Buffer.from(bodies[i]!));
    }
    await world.ingest('a', batchAt(IN_INTAKE));
    await world.complete('a', batchAt(IN_WINDOW));
    const order: string[] = [];
    const around: Around = async (call, proceed) => {
      if (call.method === 'publish') order.push(call.key);
      return proceed();
    };
    const { published } = await runPublisher(world.through(around), SETTINGS, newRun());
    expect(order).toEqual([bodies[0], bodies[1], intakeMessage('a')]);
    expect(published.get('a')).toMatchObject({
      republished: { published: 2, failed: 0 },
      aggregate: { published: 0, skippedByMarker: 1, batchesInTask: 0 },
    });

    await world.ingest('a-b', batchAt(IN_INTAKE));
    await runPublisher(world, SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual(bodies);
  });

  it('that cannot be published fail the run, and stay for the next', async () => {
    const body = aggregateMessage('a', OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]);
    await world.ownValidation.put(aggregateClaim('a', OLD_WINDOW), Buffer.from(body));
    await world.ingest('a', batchAt(IN_INTAKE));
    const ports = world.through(failing('publish', 'aggregate-tasks', ''));
    await expect(runPublisher(ports, SETTINGS, newRun())).rejects.toThrow('aggregations failed: ');
    expect(world.intakeTasks.bodies).toEqual([intakeMessage('a')]);
    await runPublisher(world, SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual([body]);
  });

  it('are published to the byte', async () => {
    const body = `${aggregateMessage('a', OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]).replaceAll(',', ' ,\n')} `;
    await world.ownValidation.put(aggregateClaim('a', OLD_WINDOW), Buffer.from(body));
    await world.ingest('a', batchAt(IN_INTAKE));
    await runPublisher(world, SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual([body]);
  });

  it('fix the batch list of their window for good', async () => {
    await world.complete('a', batchAt(IN_WINDOW, 2));
    await runPublisher(world, SETTINGS, newRun());
    const claim = await readObject(world.ownValidation, aggregateClaim('a', WINDOW));
    expect(world.aggregateTasks.bodies).toEqual([claim.toString()]);

    await world.complete('a', batchAt(IN_WINDOW, 1));
    const { published } = await runPublisher(world, SETTINGS, newRun());
    expect(published.get('a')?.aggregate).toMatchObject({ published: 0, skippedByMarker: 1 });
    // As if the marker had been lost in a crash.
    await world.ownValidation.delete(aggregateMarker('a', WINDOW));
    await runPublisher(world, SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual([claim.toString(), claim.toString()]);
    expect(await readObject(world.ownValidation, aggregateClaim('a', WINDOW))).toEqual(claim);
  });

  it('that another run makes meanwhile are what is published', async () => {
    await world.complete('a', batchAt(IN_WINDOW, 1));
    await world.complete('a', batchAt(IN_WINDOW, 2));
    const theirs = aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW, 1)]);
    const key = aggregateClaim('a', WINDOW);
    const around: Around = async (call, proceed) => {
      if (call.key === key && call.method === 'createIfAbsent') await world.ownValidation.put(key, Buffer.from(theirs));
      return proceed();
    };
    await runPublisher(world.through(around), SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual([theirs]);
  });

  const other = (id: string, window = WINDOW): string => aggregateMessage(id, window, [batchAt(IN_WINDOW)]);
  it.each([
    ['is no JSON', '{"trace-id":', 'holds no task'],
    ['is empty', '', 'holds no task'],
    ['lacks the batches', other('a').replace('batches', 'batch'), 'holds no task'],
    ['is of another window', other('a', OLD_WINDOW), 'the task of another window'],
    ['is of another aggregation', other('a-b'), 'the task of another'],
  ])('that cannot be used fail the run, which does the rest: one that %s', async (_, content, error) => {
    const unusable = aggregateClaim('a', WINDOW);
    await world.ownValidation.put(unusable, Buffer.from(content));
    const old = aggregateMessage('a', OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]);
    await world.ownValidation.put(aggregateClaim('a', OLD_WINDOW), Buffer.from(old));
    for (const id of ['a', 'a-b']) {
      await world.ingest(id, batchAt(IN_INTAKE));
      await world.complete(id, batchAt(IN_WINDOW));
    }
    const run = newRun();
    await expect(runPublisher(world, SETTINGS, run)).rejects.toThrow('aggregations failed: a; the others are done');
    expect(run.lines.filter(({ severity }) => severity === 'ERROR')).toMatchObject([
      { aggregation_id: 'a', error_code: 'E_CLAIM', error: expect.stringContaining(`the claim ${unusable} in`) },
    ]);
    expect(run.lines.find(({ severity }) => severity === 'ERROR')?.['error']).toContain(error);
    expect(world.intakeTasks.bodies).toEqual([intakeMessage('a-b'), intakeMessage('a')]);
    // Nobody knows what the window was claimed with, so nothing is published for it.
    expect(world.aggregateTasks.bodies).toEqual([other('a-b'), old]);
    expect((await readObject(world.ownValidation, unusable)).toString()).toBe(content);
  });

  it('are told from other things of such names', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    await putAll(world.ownValidation, [
      'task-claims/aggregate-a-b.lease',
      'task-claims/aggregate-a-2024-11-20.lease',
      `${aggregateClaim('a', WINDOW)}.bak`,
      aggregateClaim('a-2024-11-20-12-00', WINDOW),
      'task-claims/aggregate-a-',
      'task-claims/README',
    ]);
    const { published } = await runPublisher(world, SETTINGS, newRun());
    expect(published.get('a')).toMatchObject({ failures: [], republished: { published: 0, failed: 0 } });
  });

  it('are not needed where a marker says that the reference has published the window', async () => {
    await world.complete('a', batchAt(IN_WINDOW));
    await world.ownValidation.put(aggregateMarker('a', WINDOW), Buffer.from(aggregateMarker('a', WINDOW)));
    const { published } = await runPublisher(world, SETTINGS, newRun());
    expect(published.get('a')?.aggregate).toMatchObject({
      published: 0,
      failed: 0,
      skippedByMarker: 1,
      batchesInTask: 0,
    });
    expect(world.aggregateTasks.bodies).toEqual([]);
  });
});

describe('markers', () => {
  it('of intake are read from the first batch that can be taken in to the last', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    const times = [
      '2024-11-19T00:00Z',
      '2024-11-20T14:59Z',
      '2024-11-20T15:00Z',
      '2024-11-21T16:00Z',
      '2024-12-01T00:00Z',
    ];
    const keys = times.map((time) => intakeMarker('a', batchAt(time)));
    await putAll(world.ownValidation, keys);
    const read: string[] = [];
    const { ownValidation } = world;
    const watched: Storage = {
      ...world.through((_, proceed) => proceed()).ownValidation,
      async *list(options) {
        for await (const key of ownValidation.list(options)) {
          if (keys.includes(key)) read.push(key);
          yield key;
        }
      },
    };
    await runPublisher({ ...world.through((_, proceed) => proceed()), ownValidation: watched }, SETTINGS, newRun());
    // As far back as the window, for batches that were missed.
    expect(read).toEqual([keys[1], keys[2]]);
  });

  it('hold their names', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    await world.complete('a', batchAt(IN_WINDOW));
    await runPublisher(world, SETTINGS, newRun());
    const markers = [aggregateMarker('a', WINDOW), intakeMarker('a', batchAt(IN_INTAKE))];
    expect(await listed(world.ownValidation, 'task-markers/')).toEqual(markers);
    for (const key of markers) expect((await readObject(world.ownValidation, key)).toString()).toBe(key);
  });
});

describe('our own validations', () => {
  it('of a whole window missing, the run fails, names --own-output, and does not claim it', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    for (const n of [1, 2]) {
      await world.ingest('a', batchAt(IN_WINDOW, n));
      await world.validateByPeer('a', batchAt(IN_WINDOW, n));
    }
    const run = newRun();
    await expect(runPublisher(world, SETTINGS, run)).rejects.toThrow('aggregations failed: ');
    const error = run.lines.find(({ error_code }) => error_code === 'E_OWN_VALIDATIONS_MISSING')?.['error'];
    expect(error).toContain('none of the 2 batches of a from 2024/11/20/12/00 to 2024/11/20/15/00');
    expect(error).toContain('--own-output');
    expect(error).toContain('--require-own-validation=false');
    expect(await listed(world.ownValidation, 'task-claims/aggregate')).toEqual([]);
    expect(world.intakeTasks.bodies).toEqual([intakeMessage('a')]);
    expect(world.aggregateTasks.bodies).toEqual([]);

    await world.validate('a', batchAt(IN_WINDOW, 2));
    await runPublisher(world, SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual([aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW, 2)])]);
  });

  it('of some batches missing, these are left out, logged by id and counted', async () => {
    for (const n of [1, 3]) {
      await world.ingest('a', batchAt(IN_WINDOW, n));
      await world.validateByPeer('a', batchAt(IN_WINDOW, n));
    }
    await world.complete('a', batchAt(IN_WINDOW, 2));
    const run = newRun();
    const { published } = await runPublisher(world, SETTINGS, run);
    expect(published.get('a')).toMatchObject({ withoutOwnValidation: 2, aggregate: { batchesInTask: 1 } });
    const warning = run.lines.find(({ message }) => String(message).startsWith('batches are left out'));
    const time = formatBatchTime(batchAt(IN_WINDOW).time);
    expect(warning).toMatchObject({
      severity: 'WARNING',
      window_begin: formatBatchTime(WINDOW.begin),
      batch_ids: [1, 3].map((n) => batchAt(IN_WINDOW, n).id),
      batch_times: [time, time],
    });
    expect(world.aggregateTasks.bodies).toEqual([aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW, 2)])]);
  });

  it('are not looked at where they are not required', async () => {
    await world.ingest('a', batchAt(IN_WINDOW));
    await world.validateByPeer('a', batchAt(IN_WINDOW));
    await runPublisher(
      world.through(failing('list', 'own-validation', 'a/')),
      { ...SETTINGS, requireOwnValidation: false },
      newRun(),
    );
    expect(world.aggregateTasks.bodies).toEqual([aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)])]);
  });
});

describe('names that are not canonical', () => {
  it('are counted, and logged once for each storage', async () => {
    await world.complete('a', batchAt(IN_WINDOW));
    const strays = [1, 2].map((n) => objectsOf('a', batchAt(IN_WINDOW, n), 'batch')[0].toUpperCase().replace('A', 'a'));
    for (const storage of [world.ingestion, world.peerValidation, world.ownValidation]) await putAll(storage, strays);
    const run = newRun();
    const { published } = await runPublisher(world, { ...SETTINGS, intakeMaxAgeMs: 24 * 3_600_000 }, run);
    expect(published.get('a')?.strays).toBe(6);
    const warnings = run.lines.filter(({ message }) => String(message).startsWith('names that are no canonical'));
    const urls = [world.ingestion, world.ownValidation, world.peerValidation].map(({ url }) => url);
    expect(warnings.map(({ storage, key }) => `${String(storage)} ${String(key)}`).toSorted()).toEqual(
      urls.map((url) => `${url} ${strays[0]}`),
    );
  });

  it('outside of any aggregation are logged', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    await putAll(world.ingestion, ['README']);
    const run = newRun();
    await runPublisher(world, SETTINGS, run);
    expect(run.lines).toContainEqual(expect.objectContaining({ severity: 'WARNING', key: 'README' }));
  });
});

describe('windows', () => {
  const settings = { ...SETTINGS, lookback: 3 };
  const EARLIER = windowOf('2024-11-20T09:00Z', '2024-11-20T12:00Z');
  const inEarlier = (n = 1): BatchId => batchAt('2024-11-20T10:00Z', n);

  it('that earlier runs missed are caught up, oldest first, and said to be', async () => {
    await world.complete('a', batchAt(IN_WINDOW));
    await world.complete('a', inEarlier());
    await world.complete('a', batchAt('2024-11-20T05:59Z'));
    const run = newRun();
    const { published } = await runPublisher(world, settings, run);
    expect(world.aggregateTasks.bodies).toEqual([
      aggregateMessage('a', EARLIER, [inEarlier()]),
      aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)]),
    ]);
    expect(published.get('a')?.aggregate).toMatchObject({ published: 2, caughtUp: 1, batchesInTask: 2 });
    expect(
      run.lines.filter(({ message }) => String(message).startsWith('a window that earlier runs missed')),
    ).toMatchObject([{ severity: 'WARNING', window_begin: '2024/11/20/09/00', batches: 1 }]);
    await runPublisher(world, settings, newRun());
    expect(world.aggregateTasks.bodies).toHaveLength(2);
  });

  it('are only the latest by default', async () => {
    await world.complete('a', inEarlier());
    await runPublisher(world, SETTINGS, newRun());
    expect(world.aggregateTasks.bodies).toEqual([]);
  });

  it('of which one fails leave the others their turn', async () => {
    for (const batch of [inEarlier(), batchAt(IN_WINDOW)]) await world.complete('a', batch);
    const ports = world.through(failing('createIfAbsent', 'own-validation', aggregateClaim('a', EARLIER)));
    await expect(runPublisher(ports, settings, newRun())).rejects.toThrow('aggregations failed: a');
    expect(world.aggregateTasks.bodies).toEqual([aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)])]);
  });

  it('keep batches that are ready after the claim out, count them and log them by id', async () => {
    await world.complete('a', batchAt(IN_WINDOW, 2));
    await runPublisher(world, SETTINGS, newRun());
    for (const n of [1, 3]) await world.complete('a', batchAt(IN_WINDOW, n));
    const run = newRun();
    const { published } = await runPublisher(world, SETTINGS, run);
    expect(published.get('a')).toMatchObject({ late: 2, aggregate: { published: 0, skippedByMarker: 1 } });
    expect(published.get('a')?.oldestUnaggregated).toEqual(new Date(IN_WINDOW));
    const warning = run.lines.find(({ message }) => String(message).startsWith('batches came too late'));
    expect(warning).toMatchObject({ severity: 'WARNING', batch_ids: [1, 3].map((n) => batchAt(IN_WINDOW, n).id) });
  });

  it('take as long as a line may be to log many batches', async () => {
    await world.complete('a', batchAt(IN_WINDOW));
    await runPublisher(world, SETTINGS, newRun());
    for (let n = 2; n <= 252; n++) await world.complete('a', batchAt(IN_WINDOW, n));
    const run = newRun();
    await runPublisher(world, SETTINGS, run);
    const lines = run.lines.filter(({ message }) => String(message).startsWith('batches came too late'));
    expect(lines.map(({ batch_ids }) => (batch_ids as string[]).length)).toEqual([100, 100, 51]);
  });

  it('too long for a message are published as a reference to their claim', async () => {
    const batches = Array.from({ length: 3500 }, (_, i) => batchAt(IN_WINDOW, i + 1));
    const claim = aggregateMessage('a', WINDOW, batches);
    expect(claim.length).toBeGreaterThan(240 * 1024);
    const key = aggregateClaim('a', WINDOW);
    await world.ingest('a', batchAt(IN_INTAKE));
    await world.ownValidation.put(key, Buffer.from(claim));
    await runPublisher(world, SETTINGS, newRun());
    const [message = ''] = world.aggregateTasks.bodies;
    expect(JSON.parse(message)).toEqual({
      'trace-id': aggregateTraceId('a', WINDOW),
      'aggregation-id': 'a',
      'aggregation-start': formatBatchTime(WINDOW.begin),
      'aggregation-end': formatBatchTime(WINDOW.end),
      batches: [],
      'batches-object': key,
      'batches-sha256': createHash('sha256').update(claim).digest('hex'),
    });
    const reference = decodeAggregateMessage(Buffer.from(message));
    if (!('batchesObject' in reference)) expect.fail('a whole task');
    expect(resolveReference(reference, await readObject(world.ownValidation, key)).batches).toEqual(batches);
  });
});

describe('batches that are too old to be taken in', () => {
  it('and have no marker are counted, and logged by id', async () => {
    for (const n of [1, 2]) await world.ingest('a', batchAt(IN_WINDOW, n));
    await putAll(world.ownValidation, [intakeMarker('a', batchAt(IN_WINDOW, 1))]);
    await putAll(world.ingestion, objectsOf('a', batchAt(IN_WINDOW, 3), 'batch').slice(1));
    const run = newRun();
    const { published } = await runPublisher(world, SETTINGS, run);
    expect(published.get('a')?.intake).toMatchObject({ published: 0, missed: [batchAt(IN_WINDOW, 2)] });
    expect(published.get('a')).toMatchObject({ withoutPeerValidation: 2, oldestUnaggregated: new Date(IN_WINDOW) });
    const warning = run.lines.find(({ message }) => String(message).startsWith('batches were never taken in'));
    expect(warning).toMatchObject({ severity: 'WARNING', batch_ids: [batchAt(IN_WINDOW, 2).id] });
  });
});
