import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { validationKeys } from '../../../common/domain/batch-path.ts';
import { encodeAggregateTask, encodeIntakeTask } from '../../../common/domain/task.ts';
import { LeaseLost } from '../../../common/errors.ts';
import type { ObjectBody, ObjectVersion, StorageOptions } from '../../../common/ports/storage.ts';
import { readObject } from '../../../common/runtime/read-object.ts';
import { aggregateTasks } from '../../../facilitator/commands/aggregate-worker.ts';
import { intakeTasks } from '../../../facilitator/commands/intake-batch-worker.ts';
import { settleTask } from '../../../facilitator/worker/settle.ts';
import type { Task, TaskKind } from '../../../facilitator/worker/task-kind.ts';
import { keysIn, readPeerValidation, readSumPart } from '../../support/batches.ts';
import { batchId, honest, ingest, takeInAtBoth } from '../../support/honest-batch.ts';
import { memoryLogger, type MemoryLog } from '../../support/memory-log.ts';
import { AGGREGATION, aggregateSetup, intakeSetup, newWorld, WINDOW, type World } from '../../support/servers.ts';
import { DeliveryDouble } from './queue-double.ts';
import { NEVER, settleSetup } from './setup.ts';

const TRACE_ID = '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b';
const INTAKE = encodeIntakeTask({ traceId: TRACE_ID, aggregationId: AGGREGATION, batch: batchId(0) });
const AGGREGATE = encodeAggregateTask({
  traceId: TRACE_ID,
  aggregationId: AGGREGATION,
  window: WINDOW,
  batches: [batchId(0)],
});

let world: World;
let log: MemoryLog;
beforeEach(() => {
  world = newWorld();
  log = memoryLogger();
});

const settle = <T extends Task>(delivery: DeliveryDouble, kind: TaskKind<T>): Promise<void> =>
  settleTask(delivery, kind, settleSetup({ log: log.log }), NEVER);

const outcomes = (): unknown[] =>
  log.lines.filter(({ message }) => message === 'task finished').map(({ outcome }) => outcome);

/** A storage that calls back before it stores its `n`-th object, from 1. */
class WatchedStorage extends MemoryStorage {
  readonly #n: number;
  readonly #before: () => Promise<void>;
  #writes = 0;

  constructor(n: number, before: () => Promise<void>) {
    super('watched');
    this.#n = n;
    this.#before = before;
  }

  override async put(key: string, body: ObjectBody, options?: StorageOptions): Promise<ObjectVersion> {
    if (++this.#writes === this.#n) await this.#before();
    return super.put(key, body, options);
  }

  override async createIfAbsent(
    key: string,
    body: ObjectBody,
    options?: StorageOptions,
  ): Promise<ObjectVersion | undefined> {
    if (++this.#writes === this.#n) await this.#before();
    return super.createIfAbsent(key, body, options);
  }
}

const DEADLINE_MS = 600_000;

/** A delivery whose lease turns out to be lost when it is first extended. */
const losing = (body: string): DeliveryDouble =>
  new DeliveryDouble(body, { extend: () => Promise.reject(new LeaseLost('gone')) });

/** Lets time pass until it is extended. */
const loseLease = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(DEADLINE_MS / 3));

describe('a lease that is lost while a task writes', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([1, 2, 3])('keeps intake from write %s to the peer and all that follow', async (n) => {
    await ingest(world, 0, honest(3));
    const delivery = losing(INTAKE);
    const peerOutput = new WatchedStorage(n, loseLease);
    await settle(delivery, intakeTasks(intakeSetup(world, 0, { peerOutput })));
    expect(outcomes()).toEqual(['lost']);
    expect(delivery.calls).toEqual(['extend']);
    expect(await keysIn(peerOutput)).toHaveLength(n - 1);
    // Written last: only where it is, the peer was told all.
    const { signature } = validationKeys(AGGREGATION, batchId(0), 0);
    expect(await keysIn(world.ownValidation[0])).not.toContain(signature);
  });

  it.each([1, 2, 3])('keeps aggregate from write %s to the portal and all that follow', async (n) => {
    await ingest(world, 0, honest(3));
    await takeInAtBoth(world, 0);
    const delivery = losing(AGGREGATE);
    const portal = new WatchedStorage(n, loseLease);
    await settle(delivery, aggregateTasks(aggregateSetup(world, 0, portal)));
    expect(outcomes()).toEqual(['lost']);
    expect(delivery.calls).toEqual(['extend']);
    expect(await keysIn(portal)).toHaveLength(n - 1);
  });
});

describe('a task that is delivered again while it is being done', () => {
  /** Every object but the value of signatures, which are never the same twice. */
  async function objects(storage: MemoryStorage): Promise<Map<string, string>> {
    const keys = await keysIn(storage);
    return new Map(
      await Promise.all(
        keys.map(async (key): Promise<[string, string]> => {
          const bytes = await readObject(storage, key);
          return [key, key.endsWith('.sig') ? 'a signature' : bytes.toString('hex')];
        }),
      ),
    );
  }

  it('takes a batch in as once', async () => {
    await ingest(world, 0, ['honest', 'cheating', 'root of unity', 'honest']);
    const kind = intakeTasks(intakeSetup(world, 0));
    await settle(new DeliveryDouble(INTAKE), kind);
    const outputs = [world.peerValidation[1], world.ownValidation[0]] as const;
    const once = await Promise.all(outputs.map(objects));
    for (const output of outputs) for (const key of await keysIn(output)) await output.delete(key);

    const deliveries = [1, 2, 3].map((attempt) => new DeliveryDouble(INTAKE, {}, 'message', attempt));
    await Promise.all(deliveries.map((delivery) => settle(delivery, kind)));
    expect(outcomes()).toEqual(['ack', 'ack', 'ack', 'ack']);
    expect(await Promise.all(outputs.map(objects))).toEqual(once);
    expect((await readPeerValidation(world, 0, batchId(0))).packetCount).toBe(3);
  });

  it('sums a window as once', async () => {
    await ingest(world, 0, ['honest', 'cheating', 'honest']);
    await takeInAtBoth(world, 0);
    const [once, thrice] = [new MemoryStorage('once'), new MemoryStorage('thrice')];
    await settle(new DeliveryDouble(AGGREGATE), aggregateTasks(aggregateSetup(world, 0, once)));
    const kind = aggregateTasks(aggregateSetup(world, 0, thrice));
    await Promise.all([1, 2, 3].map(() => settle(new DeliveryDouble(AGGREGATE), kind)));
    expect(outcomes()).toEqual(['ack', 'ack', 'ack', 'ack']);
    expect(await objects(thrice)).toEqual(await objects(once));
    expect((await readSumPart(thrice, 0)).header.total_individual_clients).toBe(2);
  });
});

describe('a task that comes too early', () => {
  it('is given back while its batch is missing, and done when it is there', async () => {
    const kind = intakeTasks(intakeSetup(world, 0));
    const [early, late] = [new DeliveryDouble(INTAKE), new DeliveryDouble(INTAKE)];
    await settle(early, kind);
    expect(await keysIn(world.peerValidation[1])).toEqual([]);
    await ingest(world, 0, honest(1));
    await settle(late, kind);
    expect([early.calls, late.calls]).toEqual([['nack'], ['ack']]);
    expect(await keysIn(world.peerValidation[1])).toHaveLength(3);
  });

  it('is given back while the peer has not answered, and done when it has', async () => {
    await ingest(world, 0, honest(1));
    const portal = new MemoryStorage('portal');
    const kind = aggregateTasks(aggregateSetup(world, 0, portal));
    const [early, late] = [new DeliveryDouble(AGGREGATE), new DeliveryDouble(AGGREGATE)];
    await settle(early, kind);
    await takeInAtBoth(world, 0);
    await settle(late, kind);
    expect([early.calls, late.calls]).toEqual([['nack'], ['ack']]);
    expect(await keysIn(portal)).toHaveLength(3);
  });
});

describe('the lines of a task', () => {
  const common = { trace_id: TRACE_ID, task_id: 'message', attempt: 1, aggregation_id: AGGREGATION };

  it('tell an intake by its batch', async () => {
    await ingest(world, 0, honest(1));
    await settle(new DeliveryDouble(INTAKE, {}, 'message', 1), intakeTasks(intakeSetup(world, 0)));
    const batch = { ...common, batch_id: batchId(0).id };
    expect(log.lines).toMatchObject([
      { ...batch, message: 'batch taken in' },
      { ...batch, message: 'task finished', batch_time: '2026/11/20/09/00', outcome: 'ack', duration_ms: 0 },
    ]);
  });

  it('tell an aggregation by its window', async () => {
    await ingest(world, 0, honest(1));
    await takeInAtBoth(world, 0);
    const setup = aggregateSetup(world, 0, new MemoryStorage('portal'));
    await settle(new DeliveryDouble(AGGREGATE, {}, 'message', 1), aggregateTasks(setup));
    const window = { ...common, window_begin: '2026/11/20/09/00', window_end: '2026/11/20/12/00' };
    expect(log.lines).toMatchObject([
      { ...window, batch_id: batchId(0).id, message: 'batch summed' },
      { ...window, message: 'sum part published' },
      { ...window, message: 'task finished', outcome: 'ack' },
    ]);
  });
});
