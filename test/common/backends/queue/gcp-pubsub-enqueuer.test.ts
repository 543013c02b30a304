import { inspect } from 'node:util';
import { OAuth2Client, type AuthClient } from 'google-auth-library';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPubSubEnqueuer } from '../../../../common/backends/queue/gcp-pubsub-enqueuer.ts';
import {
  ConfigurationInvalid,
  describeError,
  PermissionDenied,
  QueueUnavailable,
  UsageError,
} from '../../../../common/errors.ts';
import type { Enqueuer } from '../../../../common/ports/queue.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../../../services/pubsub-emulator.ts';
import type { Service } from '../../../services/service.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../support/fault-proxy.ts';
import { scriptedServer, type Answer, type ScriptedServer } from '../credentials/scripted-server.ts';

const clock = (): Date => new Date(0);
const SECRET = 'the-secret-access-token';

describe('the name', () => {
  it.each([
    ['intake-tasks', 'projects/project/topics/intake-tasks'],
    ['A.b_c~d+e%f-9', 'projects/project/topics/A.b_c~d+e%f-9'],
    ['abc', 'projects/project/topics/abc'],
    ['x'.repeat(255), `projects/project/topics/${'x'.repeat(255)}`],
    ['projects/project/topics/intake-tasks', 'projects/project/topics/intake-tasks'],
  ])('may be %s', (topic, url) => {
    expect(openPubSubEnqueuer(topic, { clock, gcpProjectId: 'project' }).url).toBe(url);
  });

  it('may have the project in it, which then need not be set', () => {
    const { url } = openPubSubEnqueuer('projects/example.com:p-1/topics/tasks', { clock });
    expect(url).toBe('projects/example.com:p-1/topics/tasks');
  });

  it.each([
    '',
    'ab',
    'x'.repeat(256),
    '1st',
    'goog-tasks',
    'intake tasks',
    'tasks/intake',
    'tasks?',
    'projects/project/subscriptions/tasks',
    'projects/project/topics/goog',
    'projects/../topics/tasks',
    'projects//topics/tasks',
    'arn:aws:sns:eu-west-1:123456789012:intake-tasks',
  ])('is not %j', (topic) => {
    const open = (): unknown => openPubSubEnqueuer(topic, { clock, gcpProjectId: 'project' });
    expect(open).toThrow(UsageError);
    expect(open).toThrow(`${JSON.stringify(topic)} is no Pub/Sub topic: give its id, like intake-tasks`);
  });

  it.each([undefined, '', 'a/b', '..', 'a b'])(
    'is not enough: with the project %j the option is named',
    (gcpProjectId) => {
      const open = (): unknown => openPubSubEnqueuer('tasks', { clock, gcpProjectId });
      expect(open).toThrow(UsageError);
      expect(open).toThrow('--gcp-project-id');
    },
  );

  it('must be of the project that is set', () => {
    const open = (): unknown => openPubSubEnqueuer('projects/a/topics/tasks', { clock, gcpProjectId: 'b' });
    expect(open).toThrow(ConfigurationInvalid);
    expect(open).toThrow('projects/a/topics/tasks is not in the project b, which --gcp-project-id gives');
  });
});

describe('check', () => {
  const PATH = '/v1/projects/project/topics/tasks%2B1';
  let granted: Answer;
  let topic: Answer;
  /** By number of the request, from 1. */
  let faults: Map<number, Fault>;
  let rest: ScriptedServer;
  let proxy: FaultProxy;
  let credentials: () => Promise<AuthClient>;
  let enqueuer: Enqueuer;

  beforeEach(async () => {
    granted = { body: '{}' };
    topic = { body: '{}' };
    faults = new Map();
    rest = await scriptedServer(({ method }) => {
      const { status = 200, body } = method === 'POST' ? granted : topic;
      return { status, body, headers: { 'content-type': 'application/json' } };
    });
    proxy = await startFaultProxy(rest.url, ({ n }) => faults.get(n));
    const client = new OAuth2Client();
    client.setCredentials({ access_token: SECRET, expiry_date: Number.MAX_SAFE_INTEGER });
    credentials = async () => client;
    enqueuer = openPubSubEnqueuer(
      'tasks+1',
      { clock, gcpProjectId: 'project' },
      {
        restUrl: proxy.url,
        credentials: () => credentials(),
        attemptTimeoutMs: 1000,
        totalTimeoutMs: 1000,
        maxRetryDelayMs: 1,
      },
    );
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await rest[Symbol.asyncDispose]();
  });

  const mayPublish = { body: '{"permissions":["pubsub.topics.publish"]}' };
  const refused = (status: number): Answer => ({ status, body: '{"error":{"message":"as it is"}}' });

  it('asks whether we may publish, which is enough', async () => {
    granted = mayPublish;
    await enqueuer.check();
    expect(rest.seen).toMatchObject([
      {
        method: 'POST',
        path: `${PATH}:testIamPermissions`,
        body: '{"permissions":["pubsub.topics.publish"]}',
        headers: { authorization: `Bearer ${SECRET}` },
      },
    ]);
  });

  it.each<[string, Answer, Answer, new (message: string) => Error, string]>([
    [
      'a missing topic',
      { body: '{}' },
      refused(404),
      ConfigurationInvalid,
      'create it with Terraform or --gcp-pubsub-c',
    ],
    ['no permission', { body: '{}' }, { body: '{}' }, PermissionDenied, 'pubsub.topics.publish on it is needed'],
    ['no permission at all', { body: '{}' }, refused(403), PermissionDenied, 'pubsub.topics.publish on it is needed'],
    ['a refused question', refused(403), refused(403), PermissionDenied, 'pubsub.topics.publish on it is needed'],
    ['credentials that are refused', refused(401), refused(401), PermissionDenied, 'gcloud auth application-default'],
    ['a malformed project', refused(400), refused(400), ConfigurationInvalid, 'Pub/Sub says that it cannot work'],
  ])('tells %s', async (_, grantedAnswer, topicAnswer, Failure, text) => {
    granted = grantedAnswer;
    topic = topicAnswer;
    const failure: unknown = await enqueuer.check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(text) });
    expect(failure).toMatchObject({ message: expect.stringContaining('cannot use projects/project/topics/tasks+1') });
    expect(rest.seen.map(({ method, path }) => [method, path])).toEqual([
      ['POST', `${PATH}:testIamPermissions`],
      ['GET', PATH],
    ]);
  });

  it.each<[string, Fault]>([
    ['503', { status: 503 }],
    ['429', { status: 429 }],
    ['a connection that is reset', 'reset'],
  ])('repeats requests after %s', async (_, fault) => {
    granted = mayPublish;
    faults.set(1, fault).set(2, fault);
    await enqueuer.check();
    expect(proxy.requests).toHaveLength(3);
  });

  it.each<[string, Fault]>([
    ['503', { status: 503, body: 'unavailable' }],
    ['resets', 'reset'],
  ])('gives up after some attempts: %s; does not tell the token', async (_, fault) => {
    for (let n = 1; n <= 4; n++) faults.set(n, fault);
    const failure: unknown = await enqueuer.check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(QueueUnavailable);
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(SECRET);
    expect(proxy.requests).toHaveLength(4);
  });

  it('ends when it is aborted half-way', async () => {
    faults.set(1, 'timeout');
    const controller = new AbortController();
    const reason = new Error('aborted');
    const checking = expect(enqueuer.check(controller.signal)).rejects.toBe(reason);
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    controller.abort(reason);
    await checking;
  });

  it.each([
    ['there are none', () => new Error('Could not load the default credentials. Browse …'), PermissionDenied],
    ['they are refused', () => httpError({ response: { status: 400 } }), PermissionDenied],
    ['their server fails', () => httpError({ response: { status: 503 } }), QueueUnavailable],
    ['their server is out of reach', () => httpError({}), QueueUnavailable],
  ])('fails if no credentials can be had: %s', async (_, error, Failure) => {
    credentials = () => Promise.reject(error());
    const failure: unknown = await enqueuer.check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(describeError(failure)).toContain('cannot get Google credentials for projects/project/topics/tasks+1');
    if (Failure === PermissionDenied) {
      expect(failure).toMatchObject({ message: expect.stringContaining('Workload Identity') });
    }
    expect(rest.seen).toEqual([]);
  });

  /** As those of Google's HTTP client. */
  function httpError(properties: object): Error {
    return Object.assign(new Error('request failed'), { config: {}, ...properties });
  }
});

describe.skipIf(withoutPubSubEmulator('Pub/Sub enqueuer'))('with the emulator', () => {
  let emulator: Service;
  let enqueuer: Enqueuer;
  beforeAll(async () => {
    emulator = await startPubSubEmulator();
    const settings = { clock, gcpProjectId: 'project', pubsubEmulatorHost: `127.0.0.1:${emulator.port}` };
    enqueuer = openPubSubEnqueuer('tasks', settings);
  });
  afterAll(async () => {
    await enqueuer[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
  });

  it('creates a subscription that holds messages for 10 minutes and never expires', async () => {
    await enqueuer.create();
    const answer = await fetch(`${emulator.url}/v1/projects/project/subscriptions/tasks`);
    expect(await answer.json()).toMatchObject({
      topic: 'projects/project/topics/tasks',
      ackDeadlineSeconds: 600,
      expirationPolicy: {},
    });
  });

  it('creates the subscription of a topic that was there without', async () => {
    await enqueuer.create();
    const subscription = `${emulator.url}/v1/projects/project/subscriptions/tasks`;
    await fetch(subscription, { method: 'DELETE' });
    expect((await fetch(subscription)).status).toBe(404);
    await enqueuer.create();
    expect((await fetch(subscription)).status).toBe(200);
  });

  it.each([
    ['an empty message', ''],
    ['more than 10 MB', 'x'.repeat(10_000_001)],
  ])('refuses %s, which Pub/Sub would refuse with all its batch', async (_, body) => {
    await enqueuer.create();
    const fates = await Promise.allSettled(['a', body, 'b'].map((each) => enqueuer.publish(each)));
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(fates[1]).toMatchObject({ reason: expect.any(ConfigurationInvalid) });
  });
});
