import { expect, it } from 'vitest';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { ObjectMissing } from '../../../common/errors.ts';
import { readObject } from '../../../common/runtime/read-object.ts';
import { resultKey, resultStorage } from '../../../facilitator/worker/result-storage.ts';
import { failureOf, type TaskResult } from '../../../facilitator/worker/task-result.ts';
import { keysIn } from '../../support/batches.ts';

const RESULT: TaskResult = {
  kind: 'intake',
  taskId: 'message-7',
  attempt: 2,
  about: { trace_id: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b', aggregation_id: 'kittens-seen' },
  outcome: 'ack',
  failure: undefined,
  findings: { packets: 3 },
  worker: 'worker-1',
  startedAt: new Date('2026-11-20T23:59:59.500Z'),
  finishedAt: new Date('2026-11-21T00:00:01.750Z'),
};
const signal = new AbortController().signal;

it('keeps a result as an object of JSON', async () => {
  const storage = new MemoryStorage('results');
  await resultStorage(storage).write(RESULT, signal);
  const text = (await readObject(storage, 'results/intake/2026-11-20/message-7-2.json')).toString();
  expect(text).toMatch(/\n$/);
  expect(JSON.parse(text)).toEqual({
    task_kind: 'intake',
    task_id: 'message-7',
    attempt: 2,
    trace_id: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b',
    aggregation_id: 'kittens-seen',
    packets: 3,
    outcome: 'ack',
    worker: 'worker-1',
    started_at: '2026-11-20T23:59:59.500Z',
    finished_at: '2026-11-21T00:00:01.750Z',
    duration_ms: 2250,
  });
});

it('keeps why a task failed', async () => {
  const storage = new MemoryStorage('results');
  const failure = failureOf(new ObjectMissing('not there', { cause: new Error('404') }));
  await resultStorage(storage).write({ ...RESULT, outcome: 'nack', findings: {}, failure }, signal);
  const [key] = await keysIn(storage);
  expect(JSON.parse((await readObject(storage, key!)).toString())).toMatchObject({
    outcome: 'nack',
    error_code: 'E_OBJECT_MISSING',
    error: 'not there: 404',
    failure: [
      { name: 'ObjectMissing', stack: expect.any(String) },
      { name: 'Error', message: '404' },
    ],
  });
});

it.each([
  ['what a queue may call a message', { taskId: 'a/../b c:ü%' }, 'results/intake/2026-11-20/a____b_c___-2.json'],
  [
    'deliveries that nobody counts',
    { attempt: undefined },
    'results/intake/2026-11-20/message-7-20261120235959500.json',
  ],
  ['long names', { taskId: 'x'.repeat(500) }, `results/intake/2026-11-20/${'x'.repeat(120)}-2.json`],
])('has a key for %s', async (_, changes, key) => {
  expect(resultKey({ ...RESULT, ...changes })).toBe(key);
  await expect(new MemoryStorage('results').put(key, new Uint8Array())).resolves.toBeDefined();
});
