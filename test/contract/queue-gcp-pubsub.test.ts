import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { openPubSubTaskQueue } from '../../common/backends/queue/gcp-pubsub.ts';
import { GOOGLE } from '../../common/backends/queue/gcp-pubsub-resource.ts';
import { openEnqueuer } from '../../common/backends/queue/open.ts';
import type { TaskQueue } from '../../common/ports/queue.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import type { Service } from '../services/service.ts';
import { startFlowControl, type FlowControl } from '../support/pubsub-flow-control.ts';
import { pubSubTopics } from '../support/pubsub-topics.ts';
import { queueContract } from './queue.contract.ts';
import { MAX_DELIVERIES, type FixtureOptions, type QueueCapabilities, type QueueFixture } from './queue/fixtures.ts';

const CAPABILITIES: QueueCapabilities = {
  tellsLostLeases: true,
  countsAttempts: true,
  ordered: false,
  holdsBytes: true,
  holdsEmpty: false,
  keepsRealTime: true,
  crowd: 500,
};

const clock = (): Date => new Date(0);
/** Pub/Sub counts in seconds. */
const ackDeadlineMs = 3000;
/** More than any test holds. */
const poolSize = 100;
let serial = 0;

describe.skipIf(withoutPubSubEmulator('TaskQueue of gcp-pubsub'))('with the Pub/Sub emulator', () => {
  // The tests wait more than they compute.
  vi.setConfig({ maxConcurrency: 10 });
  let emulator: Service;
  let flowControl: FlowControl;
  beforeAll(async () => {
    emulator = await startPubSubEmulator();
    flowControl = await startFlowControl(emulator.url);
  });
  afterAll(async () => {
    await flowControl[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
    vi.resetConfig();
  });

  async function make(
    { rejects, maxDeliveries = MAX_DELIVERIES }: FixtureOptions,
    host: string,
    isStreaming: boolean,
  ): Promise<QueueFixture> {
    const id = `tasks-${++serial}`;
    const [rejected, dead] = [`${id}-rejected`, `${id}-dead`];
    const topics = pubSubTopics(emulator.url);
    for (const topic of [id, rejected, dead]) await topics.createTopic(topic);
    const deadLetters = { topic: dead, maxDeliveries };
    await topics.createSubscription({ topic: id, id, deadLetters });
    // Where there are no dead letters, deliveries are not counted.
    await topics.createSubscription({ topic: rejected, id: rejected, deadLetters });
    await topics.createSubscription({ topic: dead, id: dead });
    const settings = { clock, gcpProjectId: 'project', pubsubEmulatorHost: host, ackDeadlineMs, poolSize };
    const opened: TaskQueue[] = [];
    const consumer = (name: string, rejectedTopic?: string): TaskQueue => {
      const queue = openPubSubTaskQueue(name, { ...settings, rejectedTopic }, { ...GOOGLE, isStreaming });
      opened.push(queue);
      return queue;
    };
    const enqueuer = await openEnqueuer('gcp-pubsub', id, settings);
    const buried: Buffer[] = [];
    return {
      enqueuer,
      queue: consumer(id, rejects ? rejected : undefined),
      rejected: consumer(rejected),
      async deadLetters() {
        buried.push(...(await topics.drain(dead)));
        return buried;
      },
      otherConsumer: () => consumer(id, rejects ? rejected : undefined),
      advance: (ms) => delay(ms),
      publishBytes: (body) => topics.publish(id, body),
      async dispose() {
        await Promise.all([enqueuer, ...opened].map((one) => one[Symbol.asyncDispose]()));
      },
    };
  }

  queueContract('gcp-pubsub of the emulator', {
    capabilities: CAPABILITIES,
    make: (options) => make(options, `127.0.0.1:${emulator.port}`, false),
  });

  queueContract('gcp-pubsub by streaming pull', {
    capabilities: CAPABILITIES,
    make: (options) => make(options, flowControl.host, true),
  });
});
