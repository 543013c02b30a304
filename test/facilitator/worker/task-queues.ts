import { isUtf8 } from 'node:buffer';
import { startLocalstack } from '../../services/localstack.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../../services/pubsub-emulator.ts';
import { withoutTools } from '../../services/service.ts';
import { awsEnvironment } from '../../support/aws-stand-ins.ts';
import type { CommandOptions } from '../../support/command-options.ts';
import { pubSubTopics } from '../../support/pubsub-topics.ts';
import { SqsQueues } from '../../support/sqs-queues.ts';
import { filesIn } from '../../support/temp-directory.ts';
import { bodiesIn, publish } from './worker-process.ts';

/** A queue for a worker, empty at first, with its rejected topic and its dead letters after five deliveries. */
export interface WorkerQueue {
  /** Of the worker. */
  readonly options: CommandOptions;
  readonly env: Readonly<Record<string, string>>;
  /** Any message that does not end `nowhere`. */
  publish(bodies: readonly Uint8Array[]): Promise<void>;
  /** The bodies in the rejected topic, of which none are taken away but by this: hexadecimal, sorted. */
  rejected(): Promise<string[]>;
  /** In the same form. */
  deadLetters(): Promise<string[]>;
  /** What is in the queue, and nobody holds. */
  left(): Promise<unknown[]>;
}

/** Where a message that is no task ends at last, and why there. */
export type End = 'rejected topic' | `dead letters: ${string}` | `nowhere: ${string}`;

export interface TaskQueueService {
  readonly name: string;
  /** Those of 200 malformed messages, of ten each of the kinds of `malformed.ts`. */
  readonly ends: Readonly<Partial<Record<End, number>>>;
  /** For `skipIf`; prints the line about what is missing. */
  readonly isMissing: (what: string) => boolean;
  readonly start: () => Promise<RunningTaskQueueService>;
  /** `nowhere` for messages that the service cannot hold. */
  readonly endOf: (body: Uint8Array) => End;
}

export interface RunningTaskQueueService extends AsyncDisposable {
  /** @param root a directory of the test's own */
  open(root: string): Promise<WorkerQueue>;
}

/** After which a message is a dead letter. */
export const MAX_DELIVERIES = 5;
/** Of SNS; SQS takes four times as much. */
const MAX_SNS_BYTES = 262_144;
/** Those that SQS may hold. */
const SQS_TEXT = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const SQS_REGION = 'eu-west-1';
let serial = 0;

/** Directories of this machine. */
const DIRECTORIES: TaskQueueService = {
  name: 'local',
  ends: { 'rejected topic': 200 },
  isMissing: () => false,
  endOf: () => 'rejected topic',
  start: async () => ({
    open: async (root) => ({
      options: {
        'task-queue-kind': 'local',
        'task-queue-name': `${root}/tasks`,
        'rejected-topic': `${root}/rejected`,
      },
      env: {},
      publish: (bodies) => publish(root, bodies),
      rejected: async () => bodiesIn(`${root}/rejected/ready`),
      deadLetters: async () => bodiesIn(`${root}/tasks/dead-letters`),
      left: async () => filesIn(`${root}/tasks/ready`),
    }),
    [Symbol.asyncDispose]: async () => {},
  }),
};

const PUBSUB: TaskQueueService = {
  name: 'gcp-pubsub with the emulator',
  ends: { 'rejected topic': 190, 'dead letters: nothing but attributes': 10 },
  isMissing: withoutPubSubEmulator,
  // Nobody publishes nothing at all; and attributes are not parked.
  endOf: ({ length }) => (length === 0 ? 'dead letters: nothing but attributes' : 'rejected topic'),
  start: async () => {
    const emulator = await startPubSubEmulator();
    const topics = pubSubTopics(emulator.url);
    return {
      open: async () => {
        const id = `tasks-${++serial}`;
        const [rejected, dead] = [`${id}-rejected`, `${id}-dead`];
        for (const topic of [id, rejected, dead]) await topics.createTopic(topic);
        await topics.createSubscription({
          topic: id,
          id,
          deadLetters: { topic: dead, maxDeliveries: MAX_DELIVERIES },
        });
        for (const topic of [rejected, dead]) await topics.createSubscription({ topic, id: topic });
        return {
          options: {
            'task-queue-kind': 'gcp-pubsub',
            'task-queue-name': id,
            'rejected-topic': rejected,
            'gcp-project-id': 'project',
          },
          env: { PUBSUB_EMULATOR_HOST: `127.0.0.1:${emulator.port}`, METADATA_SERVER_DETECTION: 'none' },
          publish: async (bodies) => {
            for (const body of bodies) await topics.publish(id, body, body.length === 0 ? { source: 'test' } : {});
          },
          rejected: collecting(() => topics.drain(rejected)),
          deadLetters: collecting(() => topics.drain(dead)),
          left: () => topics.drain(id),
        };
      },
      [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
    };
  },
};

/**
 * Not with moto, in which a message is lost to all for a whole visibility timeout when two consumers come across
 * the same dead letter (5.2.5: the second gets status 500, after it was given another message).
 */
const SQS: TaskQueueService = {
  name: 'aws-sqs with LocalStack',
  ends: {
    'rejected topic': 150,
    'dead letters: larger than SNS has it': 10,
    'nowhere: empty': 10,
    'nowhere: no text': 30,
  },
  isMissing: (what) => withoutTools(`${what} with LocalStack`, 'localstack'),
  endOf: (body) => {
    if (body.length === 0) return 'nowhere: empty';
    if (!isUtf8(body) || !SQS_TEXT.test(Buffer.from(body).toString())) return 'nowhere: no text';
    return body.length > MAX_SNS_BYTES ? 'dead letters: larger than SNS has it' : 'rejected topic';
  },
  start: async () => {
    const service = await startLocalstack();
    const env = awsEnvironment(service.url);
    const queues = new SqsQueues(SQS_REGION, service.url);
    return {
      open: async () => {
        const id = `tasks-${++serial}`;
        const dead = await queues.createQueue(`${id}-dead`);
        const rejected = await queues.create(`${id}-rejected`);
        const tasks = await queues.create(id, { queue: `${id}-dead`, maxDeliveries: MAX_DELIVERIES });
        return {
          options: {
            'task-queue-kind': 'aws-sqs',
            'task-queue-name': tasks.queueUrl,
            'rejected-topic': rejected.topicArn,
            'aws-sqs-region': SQS_REGION,
          },
          env,
          publish: (bodies) => queues.send(tasks.queueUrl, bodies),
          rejected: collecting(() => queues.drain(rejected.queueUrl)),
          deadLetters: collecting(() => queues.drain(dead)),
          left: () => queues.drain(tasks.queueUrl),
        };
      },
      [Symbol.asyncDispose]: async () => {
        queues.close();
        await service[Symbol.asyncDispose]();
      },
    };
  },
};

export const TASK_QUEUE_SERVICES: readonly TaskQueueService[] = [DIRECTORIES, PUBSUB, SQS];

/** All that was ever taken, in the form of `bodiesIn`. @param take some of what is there */
function collecting(take: () => Promise<readonly Uint8Array[]>): () => Promise<string[]> {
  const taken: string[] = [];
  return async () => {
    for (let more = await take(); more.length > 0; more = await take()) {
      taken.push(...more.map((body) => Buffer.from(body).toString('hex')));
    }
    return taken.toSorted();
  };
}
