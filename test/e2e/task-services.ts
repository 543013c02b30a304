import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { VERSITYGW_REGION } from '../services/versitygw.ts';
import { pubSubTopics } from '../support/pubsub-topics.ts';
import { SqsQueues } from '../support/sqs-queues.ts';

/** A topic with a queue behind it, as options name them. */
export interface TaskTopic {
  /** For publishers. */
  readonly topic: string;
  /** For workers. */
  readonly queue: string;
}

/** Topics and queues of one cloud. */
export interface TaskServices {
  readonly publisherKind: string;
  readonly workerKind: string;
  /** Options that go with the kinds. */
  readonly publisherOptions: readonly string[];
  readonly workerOptions: readonly string[];
  /** @param deadLetters gets what was delivered as often as one may */
  create(name: string, deadLetters?: string): Promise<TaskTopic>;
  send(to: TaskTopic, body: Buffer): Promise<void>;
  /** Takes all that nobody holds. */
  drain(from: TaskTopic): Promise<Buffer[]>;
  /** How many messages somebody holds, where the service tells. */
  held(from: TaskTopic): Promise<number>;
}

/** High enough for any fault, so that a dead letter is one that would have become one in any case. */
const MAX_DELIVERIES = 100;

export function googleTasks(emulatorUrl: string): TaskServices {
  const topics = pubSubTopics(emulatorUrl);
  return {
    publisherKind: 'gcp-pubsub',
    workerKind: 'gcp-pubsub',
    publisherOptions: ['--gcp-project-id', 'project'],
    workerOptions: ['--gcp-project-id', 'project'],
    create: async (name, deadLetters) => {
      await topics.createTopic(name);
      const policy =
        deadLetters === undefined ? {} : { deadLetters: { topic: deadLetters, maxDeliveries: MAX_DELIVERIES } };
      await topics.createSubscription({ topic: name, id: name, ...policy });
      return { topic: name, queue: name };
    },
    send: ({ topic }, body) => topics.publish(topic, body),
    drain: ({ queue }) => all(() => topics.drain(queue)),
    held: async () => 0,
  };
}

/** Of a stand-in that the environment tells of. */
export function amazonTasks(): TaskServices {
  const queues = new SqsQueues(VERSITYGW_REGION);
  return {
    publisherKind: 'aws-sns',
    workerKind: 'aws-sqs',
    publisherOptions: ['--aws-sns-region', VERSITYGW_REGION],
    workerOptions: ['--aws-sqs-region', VERSITYGW_REGION],
    create: async (name, deadLetters) => {
      const policy = deadLetters === undefined ? undefined : { queue: deadLetters, maxDeliveries: MAX_DELIVERIES };
      const { topicArn, queueUrl } = await queues.create(name, policy);
      return { topic: topicArn, queue: queueUrl };
    },
    send: async ({ queue }, body) => {
      await queues.sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body.toString() }));
    },
    drain: ({ queue }) => all(() => queues.drain(queue)),
    held: async ({ queue }) => {
      const AttributeNames = ['ApproximateNumberOfMessagesNotVisible'] as const;
      const request = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: [...AttributeNames] });
      const { Attributes } = await queues.sqs.send(request);
      return Number(Attributes?.[AttributeNames[0]]);
    },
  };
}

async function all(drain: () => Promise<Buffer[]>): Promise<Buffer[]> {
  const bodies = await drain();
  return bodies.length === 0 ? bodies : [...bodies, ...(await all(drain))];
}
