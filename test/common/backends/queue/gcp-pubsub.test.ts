import { setTimeout as delay } from 'node:timers/promises';
import { OAuth2Client } from 'google-auth-library';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPubSubTaskQueue } from '../../../../common/backends/queue/gcp-pubsub.ts';
import { GOOGLE } from '../../../../common/backends/queue/gcp-pubsub-resource.ts';
import type { TaskQueueSettings } from '../../../../common/backends/queue/settings.ts';
import {
  ConfigurationInvalid,
  LeaseLost,
  PermissionDenied,
  QueueUnavailable,
  UsageError,
} from '../../../../common/errors.ts';
import type { Delivery, TaskQueue } from '../../../../common/ports/queue.ts';
import { take, textOf } from '../../../contract/queue/fixtures.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../../../services/pubsub-emulator.ts';
import type { Service } from '../../../services/service.ts';
import { startFlowControl, type FlowControl } from '../../../support/pubsub-flow-control.ts';
import { pubSubTopics, type PubSubTopics } from '../../../support/pubsub-topics.ts';
import { scriptedServer, type Answer } from '../credentials/scripted-server.ts';

const clock = (): Date => new Date(0);
const URL = 'projects/project/subscriptions/tasks';

describe('the name', () => {
  it.each([
    ['intake-tasks', 'projects/project/subscriptions/intake-tasks'],
    ['A.b_c~d+e%f-9', 'projects/project/subscriptions/A.b_c~d+e%f-9'],
    ['projects/project/subscriptions/tasks', URL],
  ])('may be %s', (name, url) => {
    expect(openPubSubTaskQueue(name, { clock, gcpProjectId: 'project' }).url).toBe(url);
  });

  it.each(['', 'ab', 'goog-tasks', 'projects/project/topics/tasks', 'https://sqs.eu-west-1.amazonaws.com/1/q'])(
    'is not %j',
    (name) => {
      const open = (): unknown => openPubSubTaskQueue(name, { clock, gcpProjectId: 'project' });
      expect(open).toThrow(UsageError);
      expect(open).toThrow(`${JSON.stringify(name)} is no Pub/Sub subscription: give its id`);
    },
  );

  it('of the rejected topic is that of a topic', () => {
    const open = (): unknown => openPubSubTaskQueue('tasks', { clock, gcpProjectId: 'project', rejectedTopic: URL });
    expect(open).toThrow('is no Pub/Sub topic');
  });

  it('needs a project, of which there is one', () => {
    expect(() => openPubSubTaskQueue('tasks', { clock })).toThrow('--gcp-project-id');
    expect(() => openPubSubTaskQueue(URL, { clock, gcpProjectId: 'other' })).toThrow(ConfigurationInvalid);
    expect(openPubSubTaskQueue(URL, { clock }).url).toBe(URL);
  });
});

describe('the ack deadline', () => {
  it('is 10 minutes, or as told', () => {
    expect(openPubSubTaskQueue(URL, { clock }).ackDeadlineMs).toBe(600_000);
    expect(openPubSubTaskQueue(URL, { clock, ackDeadlineMs: 10_000 }).ackDeadlineMs).toBe(10_000);
  });

  it.each([0, 999, 600_001, NaN])('is not %d ms', (ackDeadlineMs) => {
    expect(() => openPubSubTaskQueue(URL, { clock, ackDeadlineMs })).toThrow(UsageError);
  });
});

describe('check', () => {
  let answers: Record<string, Answer>;
  const headers = { 'content-type': 'application/json' };
  const missing = { status: 404, headers, body: JSON.stringify({ error: { message: 'as it is' } }) };

  async function check(settings: Partial<TaskQueueSettings> = {}): Promise<string[]> {
    await using google = await scriptedServer(({ method, path }) => answers[`${method} ${path}`] ?? missing);
    const client = new OAuth2Client();
    client.setCredentials({ access_token: 'token' });
    await using queue = openPubSubTaskQueue(
      'tasks',
      { clock, gcpProjectId: 'project', ...settings },
      {
        ...GOOGLE,
        restUrl: google.url,
        credentials: async () => client,
        maxRetryDelayMs: 1,
      },
    );
    await queue.check();
    return google.seen.map(({ method, path, body }) => `${method} ${path} ${body}`);
  }

  const granted = { headers, body: JSON.stringify({ permissions: ['pubsub.subscriptions.consume'] }) };
  beforeEach(() => {
    answers = { [`POST /v1/${URL}:testIamPermissions`]: granted };
  });

  it('asks whether we may consume', async () => {
    expect(await check()).toEqual([
      `POST /v1/${URL}:testIamPermissions {"permissions":["pubsub.subscriptions.consume"]}`,
    ]);
  });

  it('asks about the rejected topic, too', async () => {
    await expect(check({ rejectedTopic: 'rejected' })).rejects.toThrow('cannot use projects/project/topics/rejected');
  });

  it.each([
    [200, PermissionDenied, 'pubsub.subscriptions.consume on it is needed, as in the role roles/pubsub.subscriber'],
    [404, ConfigurationInvalid, 'it does not exist; create it with Terraform'],
    [401, PermissionDenied, 'the Google credentials are refused'],
    [503, QueueUnavailable, `cannot use ${URL}`],
  ])('fails if we may not, and a look says %i', async (status, Failure, text) => {
    answers = {
      [`POST /v1/${URL}:testIamPermissions`]: { body: '{}' },
      [`GET /v1/${URL}`]: { status, body: '{}' },
    };
    const failure: unknown = await check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(text) });
  });
});

describe('another endpoint', () => {
  const look = { body: '{}' };

  it.each(['HOST', 'http://HOST', 'http://HOST/'])('of this machine is asked without credentials: %s', async (form) => {
    await using server = await scriptedServer(() => look);
    const pubsubApiEndpoint = form.replace('HOST', server.host);
    await using queue = openPubSubTaskQueue(URL, { clock, pubsubApiEndpoint });
    await queue.check();
    expect(server.seen).toMatchObject([{ method: 'GET', path: `/v1/${URL}` }]);
    expect(server.seen[0]?.headers['authorization']).toBeUndefined();
  });

  it('gives way to an emulator', async () => {
    await using server = await scriptedServer(() => look);
    const settings = { clock, pubsubEmulatorHost: server.host, pubsubApiEndpoint: 'https://pubsub.googleapis.com' };
    await using queue = openPubSubTaskQueue(URL, settings);
    await queue.check();
    expect(server.seen).toHaveLength(1);
  });

  it.each(['ftp://host', 'https://', 'https://user@host', 'https://host/v1', 'host:port', 'a b'])(
    'is not %j',
    (pubsubApiEndpoint) => {
      const open = (): unknown => openPubSubTaskQueue(URL, { clock, pubsubApiEndpoint });
      expect(open).toThrow(UsageError);
      expect(open).toThrow('--pubsub-api-endpoint');
    },
  );
});

describe.skipIf(withoutPubSubEmulator('TaskQueue of gcp-pubsub: flow'))('a subscription', () => {
  let emulator: Service;
  let topics: PubSubTopics;
  let service: FlowControl;
  let serial = 0;
  let id: string;
  let opened: TaskQueue[];

  beforeAll(async () => {
    emulator = await startPubSubEmulator();
    topics = pubSubTopics(emulator.url);
  });
  afterAll(() => emulator[Symbol.asyncDispose]());

  beforeEach(async () => {
    id = `tasks-${++serial}`;
    opened = [];
    service = await startFlowControl(emulator.url);
    for (const topic of [id, `${id}-dead`]) await topics.createTopic(topic);
    const deadLetters = { topic: `${id}-dead`, maxDeliveries: 5 };
    await topics.createSubscription({ topic: id, id, deadLetters });
  });
  afterEach(async () => {
    for (const queue of opened) await queue[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  interface Opening extends Partial<TaskQueueSettings> {
    readonly subscription?: string;
    readonly isStreaming?: boolean;
  }

  function open({ subscription = id, isStreaming = true, ...settings }: Opening = {}): TaskQueue {
    const all = { clock, gcpProjectId: 'project', pubsubEmulatorHost: service.host, ...settings };
    const times = { attemptTimeoutMs: 2000, totalTimeoutMs: 4000 };
    const queue = openPubSubTaskQueue(subscription, all, { ...GOOGLE, ...times, isStreaming });
    opened.push(queue);
    return queue;
  }

  async function publish(count: number): Promise<string[]> {
    const bodies = Array.from({ length: count }, (_, i) => `message ${i}`);
    await Promise.all(bodies.map((body) => topics.publish(id, Buffer.from(body))));
    return bodies.toSorted();
  }

  it.each([true, false])('is held 3 messages of at most, by a pool of 3: streaming %s', async (isStreaming) => {
    const bodies = await publish(200);
    const queue = open({ poolSize: 3, isStreaming });
    const done = new AbortController();
    const held = new Set<Delivery>();
    const received: string[] = [];
    let most = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        const delivery = await queue.receive(done.signal);
        if (!delivery) return;
        held.add(delivery);
        most = Math.max(most, held.size);
        received.push(textOf(delivery));
        expect(delivery.attempt).toBe(1);
        if (received.length === bodies.length) done.abort();
        await delivery.ack();
        held.delete(delivery);
      }
    };
    // More than there are places for.
    await Promise.all(Array.from({ length: 5 }, work));
    expect(received.toSorted()).toEqual(bodies);
    expect(most).toBe(3);
    if (isStreaming) {
      expect(service.mostOutstanding).toBeLessThanOrEqual(3);
      expect(new Set(service.streams)).toEqual(new Set([1]));
    }
    expect(await topics.drain(id)).toEqual([]);
  });

  it('tells when messages were published', async () => {
    const before = Date.now();
    await publish(1);
    const publishedMs = (await take(open())).publishedAt?.getTime();
    expect(publishedMs).toBeGreaterThanOrEqual(before);
    expect(publishedMs).toBeLessThanOrEqual(Date.now());
  });

  it('is left alone while nobody waits', async () => {
    const queue = open();
    await publish(1);
    const first = await take(queue);
    await publish(3);
    await delay(300);
    expect(service.streams).toHaveLength(1);
    expect(await topics.drain(id)).toHaveLength(3);
    await first.ack();
  });

  it('gets back what comes when we go, before `receive` says so', async () => {
    const queue = open({ poolSize: 20 });
    const leaver = new AbortController();
    const waiting = Array.from({ length: 5 }, () => queue.receive(leaver.signal));
    await vi.waitFor(() => expect(service.streams).toHaveLength(5));
    await publish(5);
    leaver.abort();
    const received = (await Promise.all(waiting)).filter((delivery) => delivery !== undefined);
    const rest = await topics.drain(id);
    expect(received.length + rest.length).toBe(5);
  });

  it('is streamed from again when the service ends the stream', async () => {
    const waiting = take(open());
    for (const [i, status] of [0, 4, 1].entries()) {
      await vi.waitFor(() => expect(service.streams).toHaveLength(i + 1));
      await delay(50);
      service.endStreams(status);
    }
    await vi.waitFor(() => expect(service.streams).toHaveLength(4));
    await publish(1);
    expect(textOf(await waiting)).toBe('message 0');
  });

  it.each([14, 13, 10, 8])('is streamed from again after the failure %i', async (status) => {
    service.failures.push(status, status);
    await publish(1);
    expect(textOf(await take(open()))).toBe('message 0');
    expect(service.streams).toHaveLength(3);
  });

  it('fails those who wait if streams fail again and again, and works again afterwards', async () => {
    service.failures.push(...Array<number>(6).fill(14));
    const queue = open();
    const { signal } = new AbortController();
    await expect(queue.receive(signal)).rejects.toThrow(QueueUnavailable);
    expect(service.streams).toHaveLength(6);
    await publish(1);
    expect(textOf(await take(queue))).toBe('message 0');
  });

  it('lets those go who wait for another attempt', async () => {
    service.failures.push(...Array<number>(6).fill(14));
    const leaver = new AbortController();
    const waiting = open().receive(leaver.signal);
    await vi.waitFor(() => expect(service.streams).toHaveLength(3));
    leaver.abort();
    expect(await waiting).toBeUndefined();
    expect(service.streams.length).toBeLessThan(6);
  });

  it.each<[string, number, new (message: string) => Error, string]>([
    ['NOT_FOUND', 5, ConfigurationInvalid, 'it does not exist; create it with Terraform'],
    ['PERMISSION_DENIED', 7, PermissionDenied, 'pubsub.subscriptions.consume on it is needed'],
    ['UNAUTHENTICATED', 16, PermissionDenied, 'the Google credentials are refused'],
    ['INVALID_ARGUMENT', 3, ConfigurationInvalid, 'Pub/Sub says that it cannot work'],
  ])('fails those who wait at once with %s', async (_, status, Failure, text) => {
    service.failures.push(status);
    const queue = open();
    const failure: unknown = await queue.receive(new AbortController().signal).catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(`cannot receive from ${queue.url}: ${text}`) });
    expect(service.streams).toHaveLength(1);
  });

  it.each([true, false])('that is not there is named: streaming %s', async (isStreaming) => {
    // The stand-in for flow control asks the emulator only later.
    if (isStreaming) service.failures.push(5);
    const queue = open({ subscription: 'absent', isStreaming });
    await expect(queue.receive(new AbortController().signal)).rejects.toThrow(ConfigurationInvalid);
    await expect(queue.check()).rejects.toThrow('projects/project/subscriptions/absent: it does not exist');
  });

  it('fails those who wait if a message cannot be held, and delivers it again', async () => {
    await publish(1);
    service.refusals.push(...Array.from({ length: 30 }, () => ({ method: 'ModifyAckDeadline', status: 13 })));
    const queue = open({ ackDeadlineMs: 3000 });
    await expect(queue.receive(new AbortController().signal)).rejects.toThrow(QueueUnavailable);
  });

  it('repeats what could not be told, for as long as it makes sense', async () => {
    await publish(1);
    const delivery = await take(open());
    service.refusals.push({ method: 'Acknowledge', status: 14 }, { method: 'Acknowledge', status: 13 });
    await delivery.ack();
    expect(service.calls.filter((path) => path.endsWith('/Acknowledge'))).toHaveLength(3);
  });

  it.each<['ack' | 'nack' | 'extend', string, string]>([
    ['ack', 'Acknowledge', 'acknowledge'],
    ['nack', 'ModifyAckDeadline', 'give back'],
    ['extend', 'ModifyAckDeadline', 'extend the lease of'],
  ])('says what could not be told: %s', async (act, method, action) => {
    await publish(1);
    const queue = open();
    const delivery = await take(queue);
    service.refusals.push({ method, status: 7 });
    const failure: unknown = await delivery[act]().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(PermissionDenied);
    const what = `cannot ${action} message ${delivery.id} of ${queue.url}: pubsub.subscriptions.consume`;
    expect(failure).toMatchObject({ message: expect.stringContaining(what) });
  });

  it('keeps a message of nothing where it is, as the rejected topic cannot have it', async () => {
    await topics.createTopic(`${id}-rejected`);
    await topics.publish(id, Buffer.alloc(0), { kind: 'empty' });
    const delivery = await take(open({ rejectedTopic: `${id}-rejected` }));
    expect(delivery.body).toHaveLength(0);
    await delivery.reject();
    expect(await topics.drain(id)).toEqual([Buffer.alloc(0)]);
  });

  it('is closed to those who wait, and to those who come later, when it is disposed of', async () => {
    const queue = open();
    const waiting = queue.receive(new AbortController().signal);
    await vi.waitFor(() => expect(service.streams).toHaveLength(1));
    await queue[Symbol.asyncDispose]();
    expect(await waiting).toBeUndefined();
    expect(await queue.receive(new AbortController().signal)).toBeUndefined();
  });

  it('tells of a lease that is over, if the service does', async () => {
    await publish(1);
    const delivery = await take(open());
    service.refusals.push({ method: 'Acknowledge', status: 9, invalidAckIds: true });
    await expect(delivery.ack()).rejects.toThrow(LeaseLost);
  });
});
