import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { openSqsTaskQueue } from '../../common/backends/queue/aws-sqs.ts';
import { openEnqueuer } from '../../common/backends/queue/open.ts';
import type { TaskQueue } from '../../common/ports/queue.ts';
import { withoutTools, type Service } from '../services/service.ts';
import { startAwsByRegion, type AwsByRegion } from '../support/aws-by-region.ts';
import { awsEnvironment, LOCALSTACK, MOTO } from '../support/aws-stand-ins.ts';
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
  // The stand-ins go through all of them for each request.
  crowd: 150,
};

const clock = (): Date => new Date(0);
/** SQS counts in seconds. */
const ackDeadlineMs = 3000;
/** More than any test holds. */
const poolSize = 100;
/** The stand-ins go on with a long poll whose client has left: it has to be over before we do. */
const PATIENCE = { connectTimeoutMs: 5000, requestTimeoutMs: 10_000, attempts: 3, pollSeconds: 1, partingMs: 5000 };
/** Of a test, on a busy machine: the longest waits for five deadlines. */
const TIME_LIMIT_MS = 60_000;
let serial = 0;

// The environment can tell of one address only.
const urls: Record<string, string> = {};
let aws: AwsByRegion | undefined;
beforeAll(async () => {
  aws = await startAwsByRegion(urls);
  for (const [name, value] of Object.entries(awsEnvironment(aws.url))) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await aws?.[Symbol.asyncDispose]();
});

// The tests wait more than they compute, hence those of both stand-ins run at the same time.
vi.setConfig({ maxConcurrency: 30, testTimeout: TIME_LIMIT_MS });
afterAll(() => vi.resetConfig());

for (const [region, { name: stand, program, start }] of Object.entries({
  'eu-west-1': MOTO,
  'eu-west-2': LOCALSTACK,
})) {
  const skip = withoutTools(`TaskQueue of aws-sqs with ${stand}`, program);
  describe(`with ${stand}`, { concurrent: true, skip }, () => {
    let service: Service;
    let queues: SqsQueues;
    beforeAll(async () => {
      service = await start();
      urls[region] = service.url;
      queues = new SqsQueues(region);
    }, TIME_LIMIT_MS);
    afterAll(async () => {
      queues.close();
      await service[Symbol.asyncDispose]();
    });

    queueContract('aws-sqs', {
      capabilities: CAPABILITIES,
      async make({ rejects, maxDeliveries = MAX_DELIVERIES }) {
        const name = `tasks-${++serial}`;
        const [dead, rejected] = await Promise.all([
          queues.createQueue(`${name}-dead`),
          queues.create(`${name}-rejected`),
        ]);
        const tasks = await queues.create(name, { queue: `${name}-dead`, maxDeliveries });
        const opened: TaskQueue[] = [];
        const consumer = (url: string, rejectedTopic?: string): TaskQueue => {
          const settings = { clock, awsSqsRegion: region, ackDeadlineMs, poolSize, rejectedTopic };
          const queue = openSqsTaskQueue(url, settings, PATIENCE);
          opened.push(queue);
          return queue;
        };
        const enqueuer = await openEnqueuer('aws-sns', tasks.topicArn, { clock, awsSnsRegion: region });
        const own = (): TaskQueue => consumer(tasks.queueUrl, rejects ? rejected.topicArn : undefined);
        const buried: Buffer[] = [];
        return {
          enqueuer,
          queue: own(),
          rejected: consumer(rejected.queueUrl),
          async deadLetters() {
            buried.push(...(await queues.drain(dead)));
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
}
