import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateTopicCommand, SetSubscriptionAttributesCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import pLimit from 'p-limit';
import { openEnqueuer } from '../../common/backends/queue/open.ts';
import { startFakeGcs } from '../services/fake-gcs.ts';
import { startMoto } from '../services/moto.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import { withoutTools } from '../services/service.ts';
import { startVersitygw, VERSITYGW_CREDENTIALS, VERSITYGW_REGION } from '../services/versitygw.ts';
import type { Places } from './publisher.ts';

type Storages = 'ingestion' | 'ownValidation' | 'peerValidation';
const BUCKETS: Readonly<Record<Storages, string>> = {
  ingestion: 'ingestion',
  ownValidation: 'own-validation',
  peerValidation: 'peer-validation',
};

/** What a publisher works on, in the stand-ins of a cloud; empty at first. */
export interface CloudWorld {
  /** Options for storages and topics, without dashes. */
  readonly options: Readonly<Record<string, string>>;
  /** Empty objects. */
  write(place: Storages, keys: readonly string[]): Promise<void>;
  keys(place: Storages, prefix: string): Promise<string[]>;
  read(place: Storages, key: string): Promise<string>;
  /** Removes what a publisher has left, so that all is to be done again. */
  forget(): void;
  /** Takes all that is in a topic by now. */
  messages(tasks: Extract<keyof Places, 'intakeTasks' | 'aggregateTasks'>): Promise<string[]>;
}

/** The stand-ins of a cloud. */
export interface RunningCloud extends AsyncDisposable {
  /** By which the vendors' libraries find them. */
  readonly env: Readonly<Record<string, string>>;
  /** @param isHeard whether anybody subscribes to the topics; without, `messages` gives nothing */
  newWorld(settings?: { readonly isHeard?: boolean }): Promise<CloudWorld>;
}

export interface Cloud {
  readonly name: string;
  /** For `skipIf`; prints the line about what is missing. */
  isMissing(what: string): boolean;
  start(): Promise<RunningCloud>;
}

let worlds = 0;

/** Where files are in memory, if there is such a place. */
const MEMORY_DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Google Cloud Storage and Pub/Sub. */
export const GOOGLE: Cloud = {
  name: 'Google Cloud',
  isMissing: (what) => {
    const [storage, queue] = [withoutTools(what, 'fake-gcs-server'), withoutPubSubEmulator(what)];
    return storage || queue;
  },
  start: async () => {
    const gcs = await startFakeGcs(MEMORY_DISK);
    const pubsub = await startPubSubEmulator();
    const env = { STORAGE_EMULATOR_HOST: gcs.url, PUBSUB_EMULATOR_HOST: `127.0.0.1:${pubsub.port}` };
    return {
      env,
      newWorld: async () => {
        const n = ++worlds;
        const bucket = (place: Storages): string => `${BUCKETS[place]}-${n}`;
        for (const place of Object.keys(BUCKETS) as Storages[]) await gcs.createBucket(bucket(place));
        const settings = {
          clock: () => new Date(0),
          gcpProjectId: 'project',
          pubsubEmulatorHost: env.PUBSUB_EMULATOR_HOST,
        };
        const topics = { intakeTasks: `intake-${n}`, aggregateTasks: `aggregate-${n}` };
        for (const topic of Object.values(topics)) {
          await using enqueuer = await openEnqueuer('gcp-pubsub', topic, settings);
          await enqueuer.create();
        }
        const objects = (place: Storages): string => `${gcs.url}/storage/v1/b/${bucket(place)}/o`;
        return {
          options: {
            'ingestor-input': `gs://${bucket('ingestion')}`,
            'own-validation-input': `gs://${bucket('ownValidation')}/prefix`,
            'peer-validation-input': `gs://${bucket('peerValidation')}`,
            'task-queue-kind': 'gcp-pubsub',
            'gcp-project-id': 'project',
            'intake-tasks-topic': topics.intakeTasks,
            'aggregate-tasks-topic': topics.aggregateTasks,
          },
          write: (place, keys) =>
            allOf(keys, async (key) => {
              const name = encodeURIComponent(place === 'ownValidation' ? `prefix/${key}` : key);
              const url = `${gcs.url}/upload/storage/v1/b/${bucket(place)}/o?uploadType=media&name=${name}`;
              await answerOf(url, { method: 'POST', body: '' });
            }),
          keys: async (place, prefix) => {
            const base = place === 'ownValidation' ? 'prefix/' : '';
            const url = `${objects(place)}?fields=items(name)&prefix=${encodeURIComponent(base + prefix)}`;
            const { items = [] } = (await (await answerOf(url)).json()) as { items?: { name: string }[] };
            return items.map(({ name }) => name.slice(base.length)).sort();
          },
          read: async (place, key) => {
            const name = encodeURIComponent(place === 'ownValidation' ? `prefix/${key}` : key);
            return (await answerOf(`${objects(place)}/${name}?alt=media`)).text();
          },
          forget: () => {
            for (const folder of ['task-markers', 'task-claims']) {
              rmSync(join(gcs.directory, bucket('ownValidation'), 'prefix', folder), { recursive: true, force: true });
            }
          },
          messages: (tasks) => pullAll(`${pubsub.url}/v1/projects/project/subscriptions/${topics[tasks]}`),
        };
      },
      [Symbol.asyncDispose]: async () => {
        await gcs[Symbol.asyncDispose]();
        await pubsub[Symbol.asyncDispose]();
      },
    };
  },
};

/** Amazon S3, and SNS with SQS behind it. */
export const AMAZON: Cloud = {
  name: 'Amazon',
  isMissing: (what) => withoutTools(what, 'versitygw', 'moto_server'),
  start: async () => {
    const s3 = await startVersitygw();
    const moto = await startMoto();
    const { accessKeyId, secretAccessKey } = VERSITYGW_CREDENTIALS;
    const region = VERSITYGW_REGION;
    const client = { region, endpoint: moto.url, credentials: { accessKeyId, secretAccessKey } };
    const [sns, sqs] = [new SNSClient(client), new SQSClient(client)];
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_SNS: moto.url,
    };
    return {
      env,
      newWorld: async ({ isHeard = true } = {}) => {
        const n = ++worlds;
        const topics = {
          intakeTasks: await topicWithQueue(`intake-${n}`, isHeard),
          aggregateTasks: await topicWithQueue(`aggregate-${n}`, isHeard),
        };
        const Bucket = (place: Storages): string => `${BUCKETS[place]}-${n}`;
        // The gateway's buckets are directories, and its objects files.
        const directory = (place: Storages): string => join(s3.directory, Bucket(place));
        const { S3Client, CreateBucketCommand, ListObjectsV2Command, GetObjectCommand } =
          await import('@aws-sdk/client-s3');
        const objects = new S3Client({ ...client, endpoint: s3.url, forcePathStyle: true });
        for (const place of Object.keys(BUCKETS) as Storages[]) {
          await objects.send(new CreateBucketCommand({ Bucket: Bucket(place) }));
        }
        const keysFrom = async (place: Storages, Prefix: string, ContinuationToken?: string): Promise<string[]> => {
          const request = {
            Bucket: Bucket(place),
            Prefix,
            ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
          };
          const { Contents = [], NextContinuationToken } = await objects.send(new ListObjectsV2Command(request));
          const keys = Contents.map(({ Key = '' }) => Key);
          if (NextContinuationToken === undefined) return keys;
          return [...keys, ...(await keysFrom(place, Prefix, NextContinuationToken))];
        };
        return {
          options: {
            'ingestor-input': `s3://${region}/${Bucket('ingestion')}`,
            'own-validation-input': `s3://${region}/${Bucket('ownValidation')}`,
            'peer-validation-input': `s3://${region}/${Bucket('peerValidation')}`,
            'task-queue-kind': 'aws-sns',
            'aws-sns-region': region,
            'intake-tasks-topic': topics.intakeTasks.arn,
            'aggregate-tasks-topic': topics.aggregateTasks.arn,
          },
          write: async (place, keys) => {
            for (const key of keys) {
              const path = join(directory(place), key);
              mkdirSync(dirname(path), { recursive: true });
              writeFileSync(path, '');
            }
          },
          keys: keysFrom,
          read: async (place, Key) => {
            const { Body } = await objects.send(new GetObjectCommand({ Bucket: Bucket(place), Key }));
            return Body?.transformToString() ?? '';
          },
          forget: () => {
            for (const folder of ['task-markers', 'task-claims']) {
              rmSync(join(directory('ownValidation'), folder), { recursive: true, force: true });
            }
          },
          messages: (tasks) => receiveAll(sqs, topics[tasks].queue),
        };
      },
      [Symbol.asyncDispose]: async () => {
        await s3[Symbol.asyncDispose]();
        await moto[Symbol.asyncDispose]();
      },
    };

    async function topicWithQueue(name: string, isHeard: boolean): Promise<{ arn: string; queue: string }> {
      const { TopicArn: arn = '' } = await sns.send(new CreateTopicCommand({ Name: name }));
      const { QueueUrl: queue = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
      if (!isHeard) return { arn, queue };
      const subscription = { TopicArn: arn, Protocol: 'sqs', Endpoint: arn.replace(':sns:', ':sqs:') };
      const { SubscriptionArn } = await sns.send(
        new SubscribeCommand({ ...subscription, ReturnSubscriptionArn: true }),
      );
      const raw = { SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue: 'true' };
      await sns.send(new SetSubscriptionAttributesCommand(raw));
      return { arn, queue };
    }
  },
};

async function allOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const limit = pLimit(32);
  await Promise.all(items.map((item) => limit(() => work(item))));
}

async function answerOf(url: string, request?: RequestInit): Promise<Response> {
  const answer = await fetch(url, request);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** Over REST, so as not to trust the library with both ends. */
async function pullAll(subscription: string): Promise<string[]> {
  const call = async (verb: string, request: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    return (
      await answerOf(`${subscription}:${verb}`, { method: 'POST', headers, body: JSON.stringify(request) })
    ).json();
  };
  const bodies: string[] = [];
  for (;;) {
    const answer = (await call('pull', { maxMessages: 1000, returnImmediately: true })) as {
      receivedMessages?: { ackId: string; message: { data: string } }[];
    };
    const messages = answer.receivedMessages ?? [];
    if (messages.length === 0) return bodies;
    bodies.push(...messages.map(({ message }) => Buffer.from(message.data, 'base64').toString()));
    await call('acknowledge', { ackIds: messages.map(({ ackId }) => ackId) });
  }
}

async function receiveAll(sqs: SQSClient, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = '' }) => Body));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
