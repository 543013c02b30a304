import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTopicCommand, SetSubscriptionAttributesCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { LocalEnqueuer } from '../../common/backends/queue/local-enqueuer.ts';
import { LocalTaskQueue } from '../../common/backends/queue/local.ts';
import { openEnqueuer } from '../../common/backends/queue/open.ts';
import { startMoto } from '../services/moto.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import { withoutTools, type Service } from '../services/service.ts';
import { enqueuerContract } from './enqueuer.contract.ts';
import { take, textOf } from './queue/fixtures.ts';

const clock = (): Date => new Date(0);
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
    const fixture = (topic: string): { enqueuer: ReturnType<typeof openEnqueuer>; received: typeof pull } => {
      const pull = (count: number): Promise<string[]> => pullAll(emulator.url, topic, count);
      return { enqueuer: openEnqueuer('gcp-pubsub', topic, settings), received: pull };
    };
    const main = fixture(name);
    await main.enqueuer.create();
    return { ...main, creatable: fixture(`${name}-other`), absent: fixture(`${name}-absent`).enqueuer };
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

describe.skipIf(withoutTools('Enqueuer of aws-sns', 'moto_server'))('with moto', () => {
  const region = 'eu-west-1';
  let moto: Service;
  let sns: SNSClient;
  let sqs: SQSClient;
  beforeAll(async () => {
    moto = await startMoto();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'key');
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    sns = new SNSClient({ region });
    sqs = new SQSClient({ region });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await moto[Symbol.asyncDispose]();
  });

  enqueuerContract('aws-sns', async () => {
    const Name = `topic-${++serial}`;
    const { TopicArn: topic = '' } = await sns.send(new CreateTopicCommand({ Name }));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: Name }));
    const { SubscriptionArn } = await sns.send(
      new SubscribeCommand({
        TopicArn: topic,
        Protocol: 'sqs',
        Endpoint: topic.replace(':sns:', ':sqs:'),
        ReturnSubscriptionArn: true,
      }),
    );
    await sns.send(
      new SetSubscriptionAttributesCommand({
        SubscriptionArn,
        AttributeName: 'RawMessageDelivery',
        AttributeValue: 'true',
      }),
    );
    const settings = { clock, awsSnsRegion: region };
    return {
      enqueuer: openEnqueuer('aws-sns', topic, settings),
      absent: openEnqueuer('aws-sns', `${topic}-absent`, settings),
      async received(count) {
        const bodies: string[] = [];
        while (bodies.length < count) {
          const { Messages = [] } = await sqs.send(
            new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }),
          );
          bodies.push(...Messages.map(({ Body = '' }) => Body));
          const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
          if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
        }
        return bodies;
      },
    };
  });
});
