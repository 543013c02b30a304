import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aggregateClaim, aggregateMarker, intakeMarker } from '../../common/domain/marker.ts';
import { decodeAggregateTask, decodeIntakeTask } from '../../common/domain/task.ts';
import { StorageUnavailable } from '../../common/errors.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { runPublisher } from '../../workflow-manager/run.ts';
import {
  aggregateMessage,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  listed,
  newRun,
  NOW,
  SETTINGS,
  WINDOW,
  windowOf,
  World,
  type Around,
} from '../support/publisher.ts';

const CHUNK = 2;
const CHOPPED = { ...SETTINGS, maxEnqueueWorkers: CHUNK };
const LEASE_MS = 60_000;
const OLD_WINDOW = windowOf('2024-11-13T00:00Z', '2024-11-13T03:00Z');

beforeEach(() => {
  // A run that is abandoned would renew its lease for ever.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Five batches to take in, a window of two, and an old one that was claimed only; and a second aggregation. */
async function prepared(): Promise<World> {
  const world = new World();
  for (let n = 1; n <= 5; n++) await world.ingest('a', batchAt(IN_INTAKE, n));
  for (const n of [1, 3]) await world.complete('a', batchAt(IN_WINDOW, n));
  const old = aggregateMessage('a', OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]);
  await world.ownValidation.put(aggregateClaim('a', OLD_WINDOW), Buffer.from(old));
  await world.ingest('a-b', batchAt(IN_INTAKE));
  await world.complete('a-b', batchAt(IN_WINDOW));
  return world;
}

const INTAKE_MESSAGES = [intakeMessage('a-b'), ...[1, 2, 3, 4, 5].map((n) => intakeMessage('a', n))].toSorted();

type Fate = 'dies before' | 'dies after' | 'fails before' | 'fails after';

/** A run whose n-th call does not go well; `over` resolves once the run has died or ended. */
function runFailingAt(world: World, n: number, fate: Fate): { over: Promise<void>; calls: () => number } {
  let calls = 0;
  let isDead = false;
  const never = new Promise<never>(() => {});
  let die = (): void => {};
  const died = new Promise<void>((resolve) => (die = resolve));
  const around: Around = async (_, proceed) => {
    if (isDead) return never;
    if (++calls !== n) {
      const answer = await proceed();
      return isDead ? never : answer;
    }
    if (fate.endsWith('after')) await proceed();
    if (fate.startsWith('fails')) throw new StorageUnavailable('no answer');
    isDead = true;
    die();
    return never;
  };
  const run = newRun({ leaseDurationMs: LEASE_MS });
  // What it says about its failure is another test's business.
  const ended = runPublisher(world.through(around), CHOPPED, run).then(
    () => {},
    () => {},
  );
  return { over: Promise.race([died, ended]), calls: () => calls };
}

/** Markers stand for tasks that were published, and windows are published as they were claimed. */
async function expectSound(world: World): Promise<void> {
  const intake = world.intakeTasks.bodies.map((body) => decodeIntakeTask(Buffer.from(body)));
  const aggregate = world.aggregateTasks.bodies.map((body) => decodeAggregateTask(Buffer.from(body)));
  const published = new Set([
    ...intake.map(({ aggregationId, batch }) => intakeMarker(aggregationId, batch)),
    ...aggregate.map(({ aggregationId, window }) => aggregateMarker(aggregationId, window)),
  ]);
  const unfounded = (await listed(world.ownValidation, 'task-markers/')).filter((marker) => !published.has(marker));
  expect(unfounded).toEqual([]);
  for (const [i, { aggregationId, window }] of aggregate.entries()) {
    const claim = await readObject(world.ownValidation, aggregateClaim(aggregationId, window));
    expect(world.aggregateTasks.bodies[i]).toBe(claim.toString());
  }
}

const repeatsIn = (bodies: readonly string[]): number => bodies.length - new Set(bodies).size;

describe.each<Fate>(['dies before', 'dies after', 'fails before', 'fails after'])('a run that %s a call', (fate) => {
  it('leaves the rest to the next, which repeats a chunk at most and changes no window, whichever call it is', async () => {
    let [crashes, afterClaim] = [0, 0];
    for (let isThrough = false; !isThrough;) {
      const world = await prepared();
      const failing = runFailingAt(world, crashes + 1, fate);
      await failing.over;
      isThrough = failing.calls() <= crashes;
      if (!isThrough) crashes++;
      await expectSound(world);

      // Something comes in late. Whether it counts depends on the claim alone.
      const [claim] = await listed(world.ownValidation, aggregateClaim('a', WINDOW));
      await world.complete('a', batchAt(IN_WINDOW, 2));
      const numbers = claim === undefined ? [1, 2, 3] : [1, 3];
      if (claim !== undefined) afterClaim++;

      const clock = (): Date => new Date(NOW.getTime() + LEASE_MS);
      await runPublisher(world, CHOPPED, newRun({ clock }));
      await expectSound(world);
      expect([...new Set(world.intakeTasks.bodies)].toSorted()).toEqual(INTAKE_MESSAGES);
      expect(new Set(world.aggregateTasks.bodies)).toEqual(
        new Set([
          aggregateMessage('a', OLD_WINDOW, [batchAt(OLD_WINDOW.begin)]),
          aggregateMessage(
            'a',
            WINDOW,
            numbers.map((number) => batchAt(IN_WINDOW, number)),
          ),
          aggregateMessage('a-b', WINDOW, [batchAt(IN_WINDOW)]),
        ]),
      );
      expect(repeatsIn(world.intakeTasks.bodies) + repeatsIn(world.aggregateTasks.bodies)).toBeLessThanOrEqual(CHUNK);
      expect(await listed(world.ownValidation, 'task-markers/')).toHaveLength(9);

      const published = [world.intakeTasks.bodies.length, world.aggregateTasks.bodies.length];
      await runPublisher(world, CHOPPED, newRun({ clock }));
      expect([world.intakeTasks.bodies.length, world.aggregateTasks.bodies.length]).toEqual(published);
    }
    expect(crashes).toBeGreaterThan(40);
    expect(afterClaim).toBeGreaterThan(3);
    expect(afterClaim).toBeLessThan(crashes);
  });
});

describe('a run that finds the lease of one that died', () => {
  it('leaves the aggregation alone until it has expired', async () => {
    const world = await prepared();
    const dying = runFailingAt(world, 12, 'dies after');
    await dying.over;
    const before = world.intakeTasks.bodies.length + world.aggregateTasks.bodies.length;
    const tooEarly = newRun({ clock: () => new Date(NOW.getTime() + LEASE_MS - 1) });
    const { held } = await runPublisher(world, CHOPPED, tooEarly);
    expect(held).toHaveLength(1);
    const { held: heldLater } = await runPublisher(
      world,
      CHOPPED,
      newRun({ clock: () => new Date(NOW.getTime() + LEASE_MS) }),
    );
    expect(heldLater).toEqual([]);
    expect(world.intakeTasks.bodies.length + world.aggregateTasks.bodies.length).toBeGreaterThan(before);
  });
});
