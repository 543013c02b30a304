import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LocalEnqueuer } from '../../../../common/backends/queue/local-enqueuer.ts';
import { LocalTaskQueue } from '../../../../common/backends/queue/local.ts';
import {
  ENQUEUER_KINDS,
  openEnqueuer,
  openTaskQueue,
  TASK_QUEUE_KINDS,
} from '../../../../common/backends/queue/open.ts';
import { UsageError } from '../../../../common/errors.ts';

const clock = (): Date => new Date(0);

it('has the kinds that the options offer', () => {
  expect(ENQUEUER_KINDS).toEqual(['gcp-pubsub', 'aws-sns', 'local']);
  expect(TASK_QUEUE_KINDS).toEqual(['gcp-pubsub', 'aws-sqs', 'local']);
});

describe('the kinds of clouds', () => {
  it.each([
    ['gcp-pubsub', 'tasks', { gcpProjectId: 'project' }, 'projects/project/topics/tasks'],
    [
      'aws-sns',
      'arn:aws:sns:eu-west-1:123456789012:tasks',
      { awsSnsRegion: 'eu-west-1' },
      'arn:aws:sns:eu-west-1:123456789012:tasks',
    ],
  ] as const)('open a topic without asking anybody: %s', async (kind, topic, settings, url) => {
    expect((await openEnqueuer(kind, topic, { clock, ...settings })).url).toBe(url);
  });

  it.each([
    ['gcp-pubsub', 'tasks', '--gcp-project-id'],
    ['aws-sns', 'arn:aws:sns:eu-west-1:123456789012:tasks', '--aws-sns-region'],
  ] as const)('name the option that is missing: %s', async (kind, topic, option) => {
    const opening = openEnqueuer(kind, topic, { clock });
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(option);
  });
});

describe('the kinds of clouds, for consumers', () => {
  const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/tasks';

  it.each([
    [
      'gcp-pubsub',
      'tasks',
      { gcpProjectId: 'project', rejectedTopic: 'rejected' },
      'projects/project/subscriptions/tasks',
    ],
    ['aws-sqs', QUEUE_URL, { rejectedTopic: 'arn:aws:sns:eu-west-1:123456789012:rejected' }, QUEUE_URL],
  ] as const)('open a subscription without asking anybody: %s', async (kind, name, settings, url) => {
    const queue = await openTaskQueue(kind, name, { clock, poolSize: 3, ...settings });
    expect(queue.url).toBe(url);
    expect(queue.ackDeadlineMs).toBe(600_000);
  });

  it.each([
    ['gcp-pubsub', 'tasks', '--gcp-project-id'],
    ['aws-sqs', 'http://127.0.0.1:4566/123456789012/tasks', '--aws-sqs-region'],
  ] as const)('name the option that is missing: %s', async (kind, name, option) => {
    const opening = openTaskQueue(kind, name, { clock });
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(option);
  });

  it.each([
    ['gcp-pubsub', 'projects/project/subscriptions/tasks'],
    ['aws-sqs', QUEUE_URL],
  ] as const)('have a pool of one at least: %s', async (kind, name) => {
    for (const poolSize of [0, 1.5]) {
      await expect(openTaskQueue(kind, name, { clock, poolSize })).rejects.toThrow(RangeError);
    }
  });
});

describe('the kind local', () => {
  it.each([
    ['/var/lib/dsp/queues/intake', 'file:///var/lib/dsp/queues/intake'],
    ['/a b', 'file:///a%20b'],
    ['queue', pathToFileURL(join(process.cwd(), 'queue')).href],
    ['./a:b', pathToFileURL(join(process.cwd(), 'a:b')).href],
  ])('opens %j as the directory %s, from either end', async (name, url) => {
    const enqueuer = await openEnqueuer('local', name, { clock });
    expect(enqueuer).toBeInstanceOf(LocalEnqueuer);
    expect(enqueuer.url).toBe(url);
    const queue = await openTaskQueue('local', name, { clock });
    expect(queue).toBeInstanceOf(LocalTaskQueue);
    expect(queue.url).toBe(url);
  });

  it('holds messages for 10 minutes, or as long as it is told', async () => {
    expect(await openTaskQueue('local', 'queue', { clock })).toMatchObject({ ackDeadlineMs: 600_000 });
    expect(await openTaskQueue('local', 'queue', { clock, ackDeadlineMs: 5000 })).toMatchObject({
      ackDeadlineMs: 5000,
    });
  });

  it.each(['', 'a\0b', 'file:///a', 'gs://bucket', 'projects:x', 'arn:aws:sqs:eu-west-1:1:q', 'HTTPS://host/q'])(
    'refuses %j and names an example',
    async (name) => {
      for (const opening of [
        openEnqueuer('local', name, { clock }),
        openTaskQueue('local', name, { clock }),
        openTaskQueue('local', 'queue', { clock, rejectedTopic: name }),
      ]) {
        await expect(opening).rejects.toThrow(UsageError);
        await expect(opening).rejects.toThrow(
          `${JSON.stringify(name)} is no local queue: give a directory, like /var/lib/dsp/`,
        );
      }
    },
  );

  it('does not repeat a password', async () => {
    await expect(openEnqueuer('local', 'https://user:secret@host/q', { clock })).rejects.toThrow('https://…@host/q');
  });

  it('refuses the queue itself as its rejected topic', async () => {
    const opening = openTaskQueue('local', '/a/b', { clock, rejectedTopic: '/a/./b/' });
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow('is the queue itself');
  });
});
