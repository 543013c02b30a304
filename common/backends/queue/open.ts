import { resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { Enqueuer, TaskQueue } from '../../ports/queue.ts';
import { openSnsEnqueuer } from './aws-sns.ts';
import { openSqsTaskQueue } from './aws-sqs.ts';
import { openPubSubEnqueuer } from './gcp-pubsub-enqueuer.ts';
import { openPubSubTaskQueue } from './gcp-pubsub.ts';
import { LocalEnqueuer } from './local-enqueuer.ts';
import { LocalTaskQueue } from './local.ts';
import type { EnqueuerSettings, TaskQueueSettings } from './settings.ts';

export type { TaskQueueSettings } from './settings.ts';

/** The kinds of topics, for `--task-queue-kind` of a publisher. A kind is a word here, a row below and a file. */
export const ENQUEUER_KINDS = ['gcp-pubsub', 'aws-sns', 'local'] as const;
/** The kinds of subscriptions, for `--task-queue-kind` of a consumer. */
export const TASK_QUEUE_KINDS = ['gcp-pubsub', 'aws-sqs', 'local'] as const;

export type EnqueuerKind = (typeof ENQUEUER_KINDS)[number];
export type TaskQueueKind = (typeof TASK_QUEUE_KINDS)[number];

const ENQUEUERS: Readonly<Record<EnqueuerKind, (topic: string, settings: EnqueuerSettings) => Enqueuer>> = {
  'gcp-pubsub': openPubSubEnqueuer,
  'aws-sns': openSnsEnqueuer,
  local: openLocalEnqueuer,
};

const TASK_QUEUES: Readonly<Record<TaskQueueKind, (name: string, settings: TaskQueueSettings) => TaskQueue>> = {
  'gcp-pubsub': openPubSubTaskQueue,
  'aws-sqs': openSqsTaskQueue,
  local: openLocalTaskQueue,
};

/**
 * The topic of that name: for `gcp-pubsub` its id, for `aws-sns` its ARN, for `local` a directory. Nothing is read or written yet.
 * @throws UsageError for a name that the kind cannot have, and for a setting that it needs and lacks
 */
export function openEnqueuer(kind: EnqueuerKind, topic: string, settings: EnqueuerSettings): Enqueuer {
  return ENQUEUERS[kind](topic, settings);
}

/**
 * The subscription of that name: for `gcp-pubsub` its id, for `aws-sqs` the queue's URL, for `local` the directory that
 * is the topic. Nothing is read or written yet.
 * @throws UsageError for a name that the kind cannot have, and for a setting that it needs and lacks
 */
export function openTaskQueue(kind: TaskQueueKind, name: string, settings: TaskQueueSettings): TaskQueue {
  return TASK_QUEUES[kind](name, settings);
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

function openLocalEnqueuer(topic: string, { clock }: Pick<EnqueuerSettings, 'clock'>): LocalEnqueuer {
  return new LocalEnqueuer({ directory: localDirectory(topic), clock });
}

function openLocalTaskQueue(name: string, { clock, rejectedTopic, ackDeadlineMs }: TaskQueueSettings): LocalTaskQueue {
  const directory = localDirectory(name);
  if (rejectedTopic === undefined) return new LocalTaskQueue({ directory, clock, ackDeadlineMs });
  if (resolve(localDirectory(rejectedTopic)) === resolve(directory)) {
    throw new UsageError(
      `${JSON.stringify(rejectedTopic)} is the queue itself, which would deliver rejected tasks for ever: give another directory`,
    );
  }
  return new LocalTaskQueue({
    directory,
    clock,
    ackDeadlineMs,
    rejectedTopic: openLocalEnqueuer(rejectedTopic, { clock }),
  });
}

function localDirectory(name: string): string {
  if (name !== '' && !name.includes('\0') && !SCHEME.test(name)) return name;
  const shown = name.replace(/\/\/[^/]*@/, '//…@');
  throw new UsageError(`${JSON.stringify(shown)} is no local queue: give a directory, like /var/lib/dsp/queues/intake`);
}
