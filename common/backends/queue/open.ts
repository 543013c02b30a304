import { resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { Enqueuer, TaskQueue } from '../../ports/queue.ts';
import type { LocalEnqueuer } from './local-enqueuer.ts';
import type { EnqueuerSettings, TaskQueueSettings } from './settings.ts';

export type { TaskQueueSettings } from './settings.ts';

/** The kinds of topics, for `--task-queue-kind` of a publisher. A kind is a word here, a row below and a file. */
export const ENQUEUER_KINDS = ['gcp-pubsub', 'aws-sns', 'local'] as const;
/** The kinds of subscriptions, for `--task-queue-kind` of a consumer. */
export const TASK_QUEUE_KINDS = ['gcp-pubsub', 'aws-sqs', 'local'] as const;

export type EnqueuerKind = (typeof ENQUEUER_KINDS)[number];
export type TaskQueueKind = (typeof TASK_QUEUE_KINDS)[number];

type Open<T, S> = (name: string, settings: S) => Promise<T>;

/* Each kind is loaded when it is opened, so that a program has only those that it uses. */

const ENQUEUERS: Readonly<Record<EnqueuerKind, Open<Enqueuer, EnqueuerSettings>>> = {
  'gcp-pubsub': async (...topic) => (await import('./gcp-pubsub-enqueuer.ts')).openPubSubEnqueuer(...topic),
  'aws-sns': async (...topic) => (await import('./aws-sns.ts')).openSnsEnqueuer(...topic),
  local: openLocalEnqueuer,
};

const TASK_QUEUES: Readonly<Record<TaskQueueKind, Open<TaskQueue, TaskQueueSettings>>> = {
  'gcp-pubsub': async (...queue) => (await import('./gcp-pubsub.ts')).openPubSubTaskQueue(...queue),
  'aws-sqs': async (...queue) => (await import('./aws-sqs.ts')).openSqsTaskQueue(...queue),
  local: openLocalTaskQueue,
};

/**
 * The topic of that name: for `gcp-pubsub` its id, for `aws-sns` its ARN, for `local` a directory. Nothing is read or written yet.
 * @throws UsageError for a name that the kind cannot have, and for a setting that it needs and lacks
 */
export function openEnqueuer(kind: EnqueuerKind, topic: string, settings: EnqueuerSettings): Promise<Enqueuer> {
  return ENQUEUERS[kind](topic, settings);
}

/**
 * The subscription of that name: for `gcp-pubsub` its id, for `aws-sqs` the queue's URL, for `local` the directory that
 * is the topic. Nothing is read or written yet.
 * @throws UsageError for a name that the kind cannot have, and for a setting that it needs and lacks
 */
export function openTaskQueue(kind: TaskQueueKind, name: string, settings: TaskQueueSettings): Promise<TaskQueue> {
  return TASK_QUEUES[kind](name, settings);
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

async function openLocalEnqueuer(topic: string, { clock }: Pick<EnqueuerSettings, 'clock'>): Promise<LocalEnqueuer> {
  const directory = localDirectory(topic);
  const { LocalEnqueuer } = await import('./local-enqueuer.ts');
  return new LocalEnqueuer({ directory, clock });
}

async function openLocalTaskQueue(
  name: string,
  { clock, rejectedTopic, ackDeadlineMs }: TaskQueueSettings,
): Promise<TaskQueue> {
  const directory = localDirectory(name);
  if (rejectedTopic !== undefined && resolve(localDirectory(rejectedTopic)) === resolve(directory)) {
    throw new UsageError(
      `${JSON.stringify(rejectedTopic)} is the queue itself, which would deliver rejected tasks for ever: give another directory`,
    );
  }
  const { LocalTaskQueue } = await import('./local.ts');
  const rejected =
    rejectedTopic === undefined ? {} : { rejectedTopic: await openLocalEnqueuer(rejectedTopic, { clock }) };
  return new LocalTaskQueue({ directory, clock, ackDeadlineMs, ...rejected });
}

function localDirectory(name: string): string {
  if (name !== '' && !name.includes('\0') && !SCHEME.test(name)) return name;
  const shown = name.replace(/\/\/[^/]*@/, '//…@');
  throw new UsageError(`${JSON.stringify(shown)} is no local queue: give a directory, like /var/lib/dsp/queues/intake`);
}
