import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { protos } from '@google-cloud/pubsub';
import { OAuth2Client } from 'google-auth-library';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPubSubEnqueuer } from '../../../../common/backends/queue/gcp-pubsub-enqueuer.ts';
import { ConfigurationInvalid, describeError, PermissionDenied, QueueUnavailable } from '../../../../common/errors.ts';
import type { Enqueuer } from '../../../../common/ports/queue.ts';

/* What the emulator does not do: a server of ours speaks gRPC, which is HTTP/2 with each message in a frame. */

const { PublishRequest, PublishResponse } = protos.google.pubsub.v1;
const clock = (): Date => new Date(0);
const URL = 'projects/project/topics/tasks';
/** Length of a frame's head: a byte of flags and four of length. */
const HEAD_BYTES = 5;

/** A status of gRPC; a connection that is reset; or no answer at all. */
type Reaction = number | 'reset' | 'silence';

/** What happens to requests one after the other; those behind the last are answered well. */
let script: Reaction[];
let requests: string[];
/** Called at each request, before it is answered. */
let atRequest: () => void;
let stored: string[];
let server: Http2Server;
const sessions = new Set<ServerHttp2Session>();
let enqueuer: Enqueuer;

beforeEach(async () => {
  [script, requests, stored] = [[], [], []];
  atRequest = () => {};
  server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {}).on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => react(stream, String(headers[':path']), Buffer.concat(chunks).subarray(HEAD_BYTES)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  enqueuer = open({ attemptTimeoutMs: 5000, totalTimeoutMs: 20_000 });
});

afterEach(async () => {
  await enqueuer[Symbol.asyncDispose]();
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function open(times: { attemptTimeoutMs: number; totalTimeoutMs: number }): Enqueuer {
  // It listens on a port.
  const pubsubEmulatorHost = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return openPubSubEnqueuer(
    'tasks',
    { clock, gcpProjectId: 'project', pubsubEmulatorHost },
    {
      restUrl: 'http://127.0.0.1:9',
      credentials: async () => new OAuth2Client(),
      maxRetryDelayMs: 1,
      ...times,
    },
  );
}

function react(stream: ServerHttp2Stream, path: string, request: Buffer): void {
  requests.push(path);
  atRequest();
  const reaction = script.shift() ?? 0;
  if (reaction === 'silence') return;
  if (reaction === 'reset') {
    stream.session?.socket.resetAndDestroy();
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(reaction), 'grpc-message': 'as it is' }));
  if (reaction === 0 && path.endsWith('/Publish')) {
    const { topic, messages } = PublishRequest.decode(request);
    expect(topic).toBe(URL);
    stored.push(...messages.map(({ data }) => Buffer.from(data as Uint8Array).toString()));
    stream.write(frame(PublishResponse.encode({ messageIds: messages.map((_, i) => `id-${i}`) }).finish()));
  } else if (reaction === 0) {
    stream.write(frame(new Uint8Array()));
  }
  stream.end();
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `message ${i}`);

function publishAll(bodies: readonly string[]): Promise<PromiseSettledResult<void>[]> {
  return Promise.allSettled(bodies.map((body) => enqueuer.publish(body)));
}

describe('publishing', () => {
  it('sends what comes at once in batches of 100', async () => {
    await publishAll(numbered(250));
    expect(stored.toSorted()).toEqual(numbered(250).toSorted());
    expect(requests).toHaveLength(3);
  });

  it.each<[string, Reaction]>([
    ['UNAVAILABLE, which is 503', 14],
    ['RESOURCE_EXHAUSTED, which is 429', 8],
    ['INTERNAL', 13],
    ['ABORTED', 10],
    ['a connection that is reset', 'reset'],
  ])('repeats a batch after %s', async (_, reaction) => {
    script = [reaction, reaction];
    const fates = await publishAll(numbered(7));
    expect(fates.map(({ status }) => status)).toEqual(numbered(7).map(() => 'fulfilled'));
    expect(stored.toSorted()).toEqual(numbered(7));
    expect(requests).toHaveLength(3);
  });

  it('repeats a request that is not answered in time', async () => {
    enqueuer = open({ attemptTimeoutMs: 300, totalTimeoutMs: 20_000 });
    script = ['silence'];
    await enqueuer.publish('late');
    expect(stored).toEqual(['late']);
  });

  it.each<[string, Reaction]>([
    ['UNAVAILABLE', 14],
    ['no answer', 'silence'],
  ])('gives up after a while: %s; tells what failed in a line', async (_, reaction) => {
    enqueuer = open({ attemptTimeoutMs: 200, totalTimeoutMs: 800 });
    script = Array<Reaction>(50).fill(reaction);
    const fates = await publishAll(['a', 'b']);
    expect(requests.length).toBeGreaterThan(2);
    for (const fate of fates) {
      expect(fate).toMatchObject({ status: 'rejected', reason: expect.any(QueueUnavailable) });
      if (fate.status === 'rejected') expect(describeError(fate.reason).length).toBeLessThan(500);
    }
    expect(stored).toEqual([]);
    script = [];
    await enqueuer.publish('c');
    expect(stored).toEqual(['c']);
  });

  it.each<[string, number, new (message: string) => Error, string]>([
    ['NOT_FOUND', 5, ConfigurationInvalid, 'it does not exist; create it with Terraform or --gcp-pubsub-create-topics'],
    ['PERMISSION_DENIED', 7, PermissionDenied, 'pubsub.topics.publish on it is needed'],
    ['UNAUTHENTICATED', 16, PermissionDenied, 'gcloud auth application-default login'],
    ['INVALID_ARGUMENT', 3, ConfigurationInvalid, 'Pub/Sub says that it cannot work'],
    ['FAILED_PRECONDITION', 9, ConfigurationInvalid, 'Pub/Sub says that it cannot work'],
  ])('names the failure %s, and does not repeat it', async (_, status, Failure, text) => {
    script = [status];
    const [fate] = await publishAll(['task']);
    expect(fate).toMatchObject({ reason: expect.any(Failure) });
    expect(fate).toMatchObject({ reason: { message: expect.stringContaining(`cannot publish to ${URL}: `) } });
    expect(fate).toMatchObject({ reason: { message: expect.stringContaining(text) } });
    expect(requests).toHaveLength(1);
  });

  it('tells each message of another batch another fate', async () => {
    script = [3];
    const fates = await publishAll(numbered(150));
    expect(fates.filter(({ status }) => status === 'rejected')).toHaveLength(100);
    expect(stored).toHaveLength(50);
  });
});

describe('creating', () => {
  it('is fine if either is there', async () => {
    script = [6, 6];
    await enqueuer.create();
    expect(requests).toEqual([
      '/google.pubsub.v1.Publisher/CreateTopic',
      '/google.pubsub.v1.Subscriber/CreateSubscription',
    ]);
  });

  it('is repeated while the service is unavailable', async () => {
    script = [14, 0, 14];
    await enqueuer.create();
    expect(requests).toHaveLength(4);
  });

  it.each<[string, number, new (message: string) => Error, string]>([
    ['PERMISSION_DENIED', 7, PermissionDenied, 'roles/pubsub.editor on its project is needed'],
    ['INVALID_ARGUMENT', 3, ConfigurationInvalid, 'Pub/Sub says that it cannot work'],
    ['INTERNAL', 13, QueueUnavailable, `cannot create ${URL}`],
  ])('fails with %s', async (_, status, Failure, text) => {
    script = [0, status];
    const failure: unknown = await enqueuer.create().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(text) });
  });

  it('ends between the topic and the subscription if it is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('aborted');
    script = [14, 14, 6];
    atRequest = () => controller.abort(reason);
    await expect(enqueuer.create(controller.signal)).rejects.toBe(reason);
    expect(requests.map((path) => path.split('/').at(-1))).toEqual(['CreateTopic', 'CreateTopic', 'CreateTopic']);
  });
});

it('disposing waits for what is under way, repetitions included', async () => {
  script = [14, 14];
  const fates = publishAll(['a', 'b']);
  await enqueuer[Symbol.asyncDispose]();
  expect(stored.toSorted()).toEqual(['a', 'b']);
  expect((await fates).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  await expect(enqueuer.publish('c')).rejects.toThrow(QueueUnavailable);
});
