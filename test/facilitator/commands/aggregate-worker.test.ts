import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { aggregateClaim } from '../../../common/domain/marker.ts';
import {
  decodeAggregateTask,
  encodeAggregateReference,
  encodeAggregateTask,
  type AggregateTask,
} from '../../../common/domain/task.ts';
import type { AggregateSetup } from '../../../facilitator/aggregate.ts';
import { aggregateTasks } from '../../../facilitator/commands/aggregate-worker.ts';
import { settleTask } from '../../../facilitator/worker/settle.ts';
import { keysIn, readSumPart } from '../../support/batches.ts';
import { batchId, honest, ingest, takeInAtBoth } from '../../support/honest-batch.ts';
import { memoryLogger, type MemoryLog } from '../../support/memory-log.ts';
import { memoryMetrics } from '../../support/memory-metrics.ts';
import { AGGREGATION, aggregateSetup, newWorld, WINDOW, type World } from '../../support/servers.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { DeliveryDouble } from '../worker/queue-double.ts';
import { NEVER, settleSetup } from '../worker/setup.ts';
import { endAll, goodTask, publish, startFacilitator, workerOptions } from '../worker/worker-process.ts';

const root = temporaryDirectory();
afterEach(endAll);

const TASK: AggregateTask = {
  traceId: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b',
  aggregationId: AGGREGATION,
  window: WINDOW,
  batches: [batchId(0)],
};

const claimKeyOf = ({ aggregationId, window }: AggregateTask): string => aggregateClaim(aggregationId, window);
const claimOf = (task: AggregateTask): Buffer => Buffer.from(encodeAggregateTask(task));
const referenceTo = (task: AggregateTask, claim: Uint8Array = claimOf(task)): string =>
  encodeAggregateReference(task, claimKeyOf(task), claim);

describe('a task whose batches are in its claim', () => {
  let world: World;
  let portal: MemoryStorage;
  let log: MemoryLog;
  beforeEach(() => {
    world = newWorld();
    portal = new MemoryStorage('portal');
    log = memoryLogger();
  });

  /** What becomes of a message, with the code of the error if there is one. */
  async function settle(message: string, changes: Partial<AggregateSetup> = {}): Promise<unknown[]> {
    const delivery = new DeliveryDouble(message);
    const kind = aggregateTasks(aggregateSetup(world, 0, portal, changes));
    await settleTask(delivery, kind, settleSetup({ log: log.log }), NEVER);
    return [...delivery.calls, log.lines.at(-1)?.['error_code']];
  }

  it('is done as if the message had listed them', async () => {
    await ingest(world, 0, honest(3));
    await takeInAtBoth(world, 0);
    const listed = new MemoryStorage('listed');
    expect(await settle(encodeAggregateTask(TASK), { portalOutput: listed })).toEqual(['ack', undefined]);
    await world.ownValidation[0].put(claimKeyOf(TASK), claimOf(TASK));
    expect(await settle(referenceTo(TASK))).toEqual(['ack', undefined]);
    expect((await readSumPart(portal, 0)).header).toEqual((await readSumPart(listed, 0)).header);
    expect(log.lines.at(-1)).toMatchObject({
      trace_id: TASK.traceId,
      aggregation_id: AGGREGATION,
      window_begin: '2026/11/20/09/00',
      window_end: '2026/11/20/12/00',
    });
  });

  it('leaves the end of its window in the metrics once its sum part is published', async () => {
    const metrics = memoryMetrics();
    const name = 'facilitator_aggregate_window_end_timestamp_seconds';
    await settle(encodeAggregateTask(TASK), { metrics });
    expect(metrics.of(name)).toEqual({});
    await ingest(world, 0, honest(3));
    await takeInAtBoth(world, 0);
    await settle(encodeAggregateTask(TASK), { metrics });
    expect(metrics.of(name)).toEqual({ [`${name}{aggregation_id="${AGGREGATION}"}`]: WINDOW.end.getTime() / 1000 });
  });

  it('is given back while the claim is missing, or cannot be looked for', async () => {
    expect(await settle(referenceTo(TASK))).toEqual(['nack', 'E_OBJECT_MISSING']);
    expect(await settle(referenceTo(TASK), { ownInput: undefined })).toEqual(['nack', 'E_CONFIGURATION']);
  });

  it.each([
    ['holds other bytes', claimOf({ ...TASK, batches: [] }), referenceTo(TASK)],
    [
      'is of another window',
      claimOf({ ...TASK, aggregationId: 'other' }),
      referenceTo(TASK, claimOf({ ...TASK, aggregationId: 'other' })),
    ],
    ['is a reference itself', Buffer.from(referenceTo(TASK)), referenceTo(TASK, Buffer.from(referenceTo(TASK)))],
  ])('is rejected if the claim %s', async (_, claim, message) => {
    await world.ownValidation[0].put(claimKeyOf(TASK), claim);
    expect(await settle(message)).toEqual(['reject', 'E_TASK_MALFORMED']);
    expect(await keysIn(portal)).toEqual([]);
  });

  it('is rejected if it names any other object, which is not read', async () => {
    const elsewhere = 'batches/of-the-window';
    await world.ownValidation[0].put(elsewhere, claimOf(TASK));
    const message = encodeAggregateReference(TASK, elsewhere, claimOf(TASK));
    expect(await settle(message)).toEqual(['reject', 'E_TASK_MALFORMED']);
  });
});

it('reads a large task through --own-input', async () => {
  const task = decodeAggregateTask(Buffer.from(JSON.stringify(goodTask('aggregate-worker'))));
  const options = { ...workerOptions('aggregate-worker', root()), 'own-input': join(root(), 'own') };
  const claim = join(root(), 'own', claimKeyOf(task));
  mkdirSync(dirname(claim), { recursive: true });
  writeFileSync(claim, claimOf(task));
  await publish(root(), [referenceTo(task)]);
  const worker = startFacilitator('aggregate-worker', options);
  await worker.logged({ message: 'task finished', outcome: 'ack' });
  expect(filesIn(join(root(), 'portal')).filter((name) => name.endsWith('.sig'))).toHaveLength(1);
  worker.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ status: 0 });
});
