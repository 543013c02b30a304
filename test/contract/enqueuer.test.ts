import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { LocalEnqueuer } from '../../common/backends/queue/local-enqueuer.ts';
import { LocalTaskQueue } from '../../common/backends/queue/local.ts';
import { openEnqueuer } from '../../common/backends/queue/open.ts';
import type { Enqueuer } from '../../common/ports/queue.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import type { Service } from '../services/service.ts';
import { describeWithAws, LOCALSTACK, MOTO } from '../support/aws-stand-ins.ts';
import { SqsQueues } from '../support/sqs-queues.ts';
import { enqueuerContract } from './enqueuer.contract.ts';
import { take, textOf } from './queue/fixtures.ts';

const clock = (): Date => new Date(0);
/** How long SQS waits for a message. */
const POLL_SECONDS = 5;
let serial = 0;

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));

enqueuerContract('local', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'dsp-enqueuer-'));
  directories.push(scratch);
  const open = (name: string): { enqueuer: LocalEnqueuer; received(count: number): Promise<string[]> } => {
    const directory = join(scratch, name);
    const queue = new LocalTaskQueue({ directory, clock });
    return {
      enqueuer: new LocalEnqueuer({ directory, clock }),
      async received(count) {
        const bodies: string[] = [];
        while (bodies.length < count) {
          const delivery = await take(queue);
          bodies.push(textOf(delivery));
          await delivery.ack();
        }
        return bodies;
      },
    };
  };
  return { ...open('tasks'), creatable: open('other') };
});

describe.skipIf(withoutPubSubEmulator('Enqueuer of gcp-pubsub'))('with the Pub/Sub emulator', () => {
  let emulator: Service;
  beforeAll(async () => {
    emulator = await startPubSubEmulator();
  });
  afterAll(() => emulator[Symbol.asyncDispose]());

  enqueuerContract('gcp-pubsub', async () => {
    const settings = { clock, gcpProjectId: 'project', pubsubEmulatorHost: `127.0.0.1:${emulator.port}` };
    const name = `topic.${++serial}~a+b%c`;
    const fixture = async (topic: string): Promise<{ enqueuer: Enqueuer; received: typeof pull }> => {
      const pull = (count: number): Promise<string[]> => pullAll(emulator.url, topic, count);
      return { enqueuer: await openEnqueuer('gcp-pubsub', topic, settings), received: pull };
    };
    const main = await fixture(name);
    await main.enqueuer.create();
    return { ...main, creatable: await fixture(`${name}-other`), absent: (await fixture(`${name}-absent`)).enqueuer };
  });
});

/** Pulls over REST, so as not to trust the library with both ends. */
async function pullAll(url: string, subscription: string, count: number): Promise<string[]> {
  const path = `${url}/v1/projects/project/subscriptions/${encodeURIComponent(subscription)}`;
  const call = async (verb: string, request: unknown): Promise<unknown> => {
    const answer = await fetch(`${path}:${verb}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const bodies: string[] = [];
  while (bodies.length < count) {
    const answer = (await call('pull', { maxMessages: 1000 })) as {
      receivedMessages?: { ackId: string; message: { data: string } }[];
    };
    const messages = answer.receivedMessages ?? [];
    if (messages.length === 0) continue;
    bodies.push(...messages.map(({ message }) => Buffer.from(message.data, 'base64').toString()));
    await call('acknowledge', { ackIds: messages.map(({ ackId }) => ackId) });
  }
  return bodies;
}

for (const standIn of [MOTO, LOCALSTACK]) {
  describeWithAws('Enqueuer of aws-sns', standIn, () => {
    const region = 'eu-west-1';
    let queues: SqsQueues;
    beforeAll(() => {
      queues = new SqsQueues(region);
    });
    afterAll(() => queues.close());

    enqueuerContract('aws-sns', async () => {
      const { topicArn, queueUrl } = await queues.create(`topic-${++serial}`);
      const settings = { clock, awsSnsRegion: region };
      return {
        enqueuer: await openEnqueuer('aws-sns', topicArn, settings),
        absent: await openEnqueuer('aws-sns', `${topicArn}-absent`, settings),
        async received(count) {
          const bodies: string[] = [];
          while (bodies.length < count) bodies.push(...(await queues.drain(queueUrl, POLL_SECONDS)).map(String));
          return bodies;
        },
      };
    });
  });
}
