import pLimit from 'p-limit';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { LeaseLost, QueueUnavailable, StorageUnavailable } from '../../common/errors.ts';
import { AggregationLease } from '../../workflow-manager/lease.ts';
import { publishAll, type MarkedMessage, type Publishing } from '../../workflow-manager/publish.ts';
import { memoryLogger, type MemoryLog } from '../support/memory-log.ts';
import { interceptedStorage, interceptedTopic, listed, MemoryTopic, NOW, type Around } from '../support/publisher.ts';

async function* messages(count: number): AsyncGenerator<MarkedMessage> {
  for (let n = 1; n <= count; n++) yield { body: `body-${n}`, marker: `task-markers/m-${n}`, fields: { n } };
}

const pass: Around = (_, proceed) => proceed();

interface Stage extends Publishing {
  readonly topic: MemoryTopic;
  readonly lines: MemoryLog['lines'];
}

/** All that publishing takes, with a lease just acquired; calls of storage and topic go through `around`. */
async function stage(chunkSize: number, around = pass): Promise<Stage> {
  const topic = new MemoryTopic('topic');
  const base = new MemoryStorage('own-validation');
  const { log, lines } = memoryLogger();
  const settings = { runId: 'run-1', durationMs: 60_000, clock: () => NOW, log };
  const lease = await AggregationLease.acquire(base, 'a', settings);
  if (!lease) throw new Error('the lease is not free');
  const storage = interceptedStorage(base, around);
  const limit = pLimit(chunkSize);
  return { enqueuer: interceptedTopic(topic, around), storage, lease, chunkSize, limit, log, topic, lines };
}

/** Fails the calls of a method whose key is among `keys`. */
const failing =
  (method: string, error: Error, keys: readonly string[]): Around =>
  async (call, proceed) => {
    if (call.method === method && keys.includes(call.key)) throw error;
    return proceed();
  };

describe('publishAll', () => {
  it.each([1, 2, 3, 7, 100])('publishes and marks every message, %d at once', async (chunkSize) => {
    let [underWay, most] = [0, 0];
    const order: string[] = [];
    const publishing = await stage(chunkSize, async (call, proceed) => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
      order.push(`${call.method} ${call.key}`);
      return proceed();
    });
    expect(await publishAll(messages(7), publishing)).toEqual({ published: 7, failed: 0 });
    expect(publishing.topic.bodies).toEqual(Array.from({ length: 7 }, (_, i) => `body-${i + 1}`));
    expect(await listed(publishing.storage, 'task-markers/')).toHaveLength(7);
    expect(most).toBe(Math.min(chunkSize, 7));
    for (let n = 1; n <= 7; n++) {
      const marked = order.indexOf(`createIfAbsent task-markers/m-${n}`);
      expect(order.indexOf(`publish body-${n}`)).toBeLessThan(marked);
    }
  });

  it('publishes nothing of nothing', async () => {
    expect(await publishAll(messages(0), await stage(3))).toEqual({ published: 0, failed: 0 });
  });

  it('goes on after messages that fail, and marks none of them', async () => {
    const publishing = await stage(3, failing('publish', new QueueUnavailable('too long'), ['body-2', 'body-7']));
    expect(await publishAll(messages(8), publishing)).toEqual({ published: 6, failed: 2 });
    expect(await listed(publishing.storage, 'task-markers/')).toEqual(
      [1, 3, 4, 5, 6, 8].map((n) => `task-markers/m-${n}`),
    );
    expect(publishing.lines.filter(({ severity }) => severity === 'ERROR')).toMatchObject(
      [2, 7].map((n) => ({
        message: 'task could not be published',
        error_code: 'E_QUEUE_UNAVAILABLE',
        error: 'too long',
        n,
      })),
    );
  });

  it('goes on after many failures, if others succeed between them', async () => {
    const bad = Array.from({ length: 30 }, (_, i) => `body-${3 * i + 1}`);
    const publishing = await stage(2, failing('publish', new QueueUnavailable('too long'), bad));
    expect(await publishAll(messages(90), publishing)).toEqual({ published: 60, failed: 30 });
  });

  it('goes on after some failures in a row, one at a time', async () => {
    const bad = Array.from({ length: 9 }, (_, i) => `body-${i + 1}`);
    const publishing = await stage(1, failing('publish', new QueueUnavailable('too long'), bad));
    expect(await publishAll(messages(12), publishing)).toEqual({ published: 3, failed: 9 });
  });

  it.each([
    { chunkSize: 1, attempts: 10 },
    { chunkSize: 4, attempts: 12 },
    { chunkSize: 30, attempts: 30 },
  ])('gives up where everything fails, $chunkSize at once', async ({ chunkSize, attempts }) => {
    let [tried, read] = [0, 0];
    const publishing = await stage(chunkSize, async () => {
      tried++;
      throw new QueueUnavailable('the queue is down');
    });
    const counted = async function* (): AsyncGenerator<MarkedMessage> {
      for await (const message of messages(1000)) {
        read++;
        yield message;
      }
    };
    expect(await publishAll(counted(), publishing)).toEqual({ published: 0, failed: attempts });
    expect({ tried, read }).toEqual({ tried: attempts, read: attempts });
    expect(publishing.lines.at(-1)).toMatchObject({ severity: 'ERROR', failed: attempts });
  });

  it('counts a message without a marker as failed, and says that it was published', async () => {
    const around = failing('createIfAbsent', new StorageUnavailable('no space'), ['task-markers/m-2']);
    const publishing = await stage(3, around);
    expect(await publishAll(messages(3), publishing)).toEqual({ published: 2, failed: 1 });
    expect(publishing.topic.bodies).toHaveLength(3);
    expect(publishing.lines.filter(({ severity }) => severity === 'ERROR')).toMatchObject([
      { error_code: 'E_STORAGE_UNAVAILABLE', n: 2, message: expect.stringContaining('was published') },
    ]);
  });

  it('takes a marker that is there already for its own', async () => {
    const publishing = await stage(3);
    await publishing.storage.put('task-markers/m-2', Buffer.from('task-markers/m-2'));
    expect(await publishAll(messages(3), publishing)).toEqual({ published: 3, failed: 0 });
  });

  it('looks at the lease before every chunk', async () => {
    const publishing = await stage(2);
    const stolen = async function* (): AsyncGenerator<MarkedMessage> {
      for await (const message of messages(6)) {
        if (message.body === 'body-4') {
          await publishing.storage.put('task-claims/a.lease', Buffer.from('{"run-id":"run-2","expires-at":"2999"}'));
        }
        yield message;
      }
    };
    await expect(publishAll(stolen(), publishing)).rejects.toThrow(LeaseLost);
    expect(publishing.topic.bodies).toEqual(['body-1', 'body-2']);
  });

  it('stops at the signal between two chunks, having finished and marked what was under way', async () => {
    const stop = new AbortController();
    const publishing = await stage(3, async (call, proceed) => {
      if (call.key === 'body-4') stop.abort(new Error('stopped'));
      await new Promise(setImmediate);
      return proceed();
    });
    await expect(publishAll(messages(9), publishing, stop.signal)).rejects.toThrow('stopped');
    expect(publishing.topic.bodies).toHaveLength(6);
    expect(await listed(publishing.storage, 'task-markers/')).toHaveLength(6);
  });
});
