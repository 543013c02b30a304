import { mkdir, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { LocalEnqueuer } from '../../common/backends/queue/local-enqueuer.ts';
import { LocalTaskQueue } from '../../common/backends/queue/local.ts';
import { memoryQueue } from '../support/memory-queue.ts';
import { queueContract } from './queue.contract.ts';
import { MAX_DELIVERIES, type QueueCapabilities } from './queue/fixtures.ts';

const EVERYTHING: QueueCapabilities = {
  tellsLostLeases: true,
  countsAttempts: true,
  ordered: true,
  holdsBytes: true,
  holdsEmpty: true,
  keepsRealTime: false,
  crowd: 1000,
};
const START_MS = Date.parse('2026-11-21T10:00:00Z');

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));

queueContract('memory', {
  capabilities: EVERYTHING,
  async make({ rejects, maxDeliveries = MAX_DELIVERIES }) {
    let nowMs = START_MS;
    const clock = (): Date => new Date(nowMs);
    const rejectedTopic = memoryQueue({ clock });
    const memory = memoryQueue({ clock, maxDeliveries, ...(rejects ? { rejectedTopic } : {}) });
    return {
      enqueuer: memory.enqueuer,
      queue: memory.queue,
      rejected: rejectedTopic.queue,
      deadLetters: async () => memory.deadLetters,
      otherConsumer: () => memory.consumer(),
      async advance(ms) {
        nowMs += ms;
        memory.wake();
      },
      publishBytes: async (body) => memory.publishBytes(body),
    };
  },
});

queueContract('local', {
  capabilities: EVERYTHING,
  async make({ rejects, maxDeliveries = MAX_DELIVERIES }) {
    const scratch = await mkdtemp(join(tmpdir(), 'dsp-queue-'));
    directories.push(scratch);
    const directory = join(scratch, 'tasks');
    let nowMs = START_MS;
    const clock = (): Date => new Date(nowMs);
    const enqueuer = new LocalEnqueuer({ directory, clock });
    const rejectedTopic = new LocalEnqueuer({ directory: join(scratch, 'rejected'), clock });
    const consumer = (): LocalTaskQueue =>
      new LocalTaskQueue({
        directory,
        clock,
        maxDeliveries,
        rejectedTopic: rejects ? rejectedTopic : undefined,
      });
    return {
      enqueuer,
      queue: consumer(),
      rejected: new LocalTaskQueue({ directory: join(scratch, 'rejected'), clock }),
      async deadLetters() {
        const folder = join(directory, 'dead-letters');
        await mkdir(folder, { recursive: true });
        return Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
      },
      otherConsumer: consumer,
      async advance(ms) {
        nowMs += ms;
        // Whoever waits hears of a change in the directory.
        await mkdir(join(directory, 'ready'), { recursive: true });
        await utimes(join(directory, 'ready'), nowMs / 1000, nowMs / 1000);
      },
      publishBytes: (body) => enqueuer.publish(body),
    };
  },
});
