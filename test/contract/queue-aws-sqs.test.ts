import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { openSqsTaskQueue } from '../../common/backends/queue/aws-sqs.ts';
import { openEnqueuer } from '../../common/backends/queue/open.ts';
import type { TaskQueue } from '../../common/ports/queue.ts';
import { startMoto } from '../services/moto.ts';
import { withoutTools, type Service } from '../services/service.ts';
import { SqsQueues } from '../support/sqs-queues.ts';
import { queueContract } from './queue.contract.ts';
import { MAX_DELIVERIES, type QueueCapabilities } from './queue/fixtures.ts';

const CAPABILITIES: QueueCapabilities = {
  tellsLostLeases: true,
  countsAttempts: true,
  ordered: false,
  holdsBytes: false,
  holdsEmpty: false,
  keepsRealTime: true,
  // moto goes through all of them for each request.
  crowd: 150,
};

const clock = (): Date => new Date(0);
const region = 'eu-west-1';
/** SQS counts in seconds. */
const ackDeadlineMs = 3000;
/** More than any test holds. */
const poolSize = 100;
/** moto goes on with a long poll whose client has left: it has to be over before we do. */
const PATIENCE = { connectTimeoutMs: 5000, requestTimeoutMs: 10_000, attempts: 3, pollSeconds: 1, partingMs: 5000 };
let serial = 0;

describe.skipIf(withoutTools('TaskQueue of aws-sqs', 'moto_server'))('with moto', () => {
  // The tests wait more than they compute.
  vi.setConfig({ maxConcurrency: 10 });
  let moto: Service;
  let queues: SqsQueues;
  beforeAll(async () => {
    moto = await startMoto();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'key');
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    queues = new SqsQueues(region);
  });
  afterAll(async () => {
    queues.close();
    vi.unstubAllEnvs();
    vi.resetConfig();
    await moto[Symbol.asyncDispose]();
  });

  queueContract('aws-sqs', {
    capabilities: CAPABILITIES,
    async make({ rejects, maxDeliveries = MAX_DELIVERIES }) {
      const name = `tasks-${++serial}`;
      const dead = await queues.create(`${name}-dead`);
      const rejected = await queues.create(`${name}-rejected`);
      const tasks = await queues.create(name, { queue: `${name}-dead`, maxDeliveries });
      const opened: TaskQueue[] = [];
      const consumer = (url: string, rejectedTopic?: string): TaskQueue => {
        const settings = { clock, awsSqsRegion: region, ackDeadlineMs, poolSize, rejectedTopic };
        const queue = openSqsTaskQueue(url, settings, PATIENCE);
        opened.push(queue);
        return queue;
      };
      const enqueuer = openEnqueuer('aws-sns', tasks.topicArn, { clock, awsSnsRegion: region });
      const own = (): TaskQueue => consumer(tasks.queueUrl, rejects ? rejected.topicArn : undefined);
      const buried: Buffer[] = [];
      return {
        enqueuer,
        queue: own(),
        rejected: consumer(rejected.queueUrl),
        async deadLetters() {
          buried.push(...(await queues.drain(dead.queueUrl)));
          return buried;
        },
        otherConsumer: own,
        advance: (ms) => delay(ms),
        async dispose() {
          await Promise.all([enqueuer, ...opened].map((one) => one[Symbol.asyncDispose]()));
        },
      };
    },
  });
});
