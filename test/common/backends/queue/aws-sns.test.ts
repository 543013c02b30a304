import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSnsEnqueuer } from '../../../../common/backends/queue/aws-sns.ts';
import { ConfigurationInvalid, PermissionDenied, QueueUnavailable, UsageError } from '../../../../common/errors.ts';
import type { Enqueuer } from '../../../../common/ports/queue.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../support/fault-proxy.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from '../credentials/environment.ts';
import { scriptedServer, type Answer, type ScriptedServer } from '../credentials/scripted-server.ts';

const clock = (): Date => new Date(0);
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:intake-tasks';
const PATIENCE = { connectTimeoutMs: 1000, requestTimeoutMs: 1000, attempts: 3, firstRetryDelayMs: 1 };
const SECRET = 'the-secret-access-key';

interface Failure {
  readonly code: string;
  readonly senderFault: boolean;
}

const home = temporaryDirectory();
/** By body: what becomes of a message, attempt by attempt; stored when there is nothing left. */
let failures: Map<string, Failure[]>;
let stored: string[];
let batches: string[][];
/** Instead of any answer to a request. */
let refusal: Answer | undefined;
/** By number of the request, from 1. */
let faults: Map<number, Fault>;
let sns: ScriptedServer;
let proxy: FaultProxy;
let enqueuer: Enqueuer;

beforeEach(async () => {
  [failures, stored, batches, refusal, faults] = [new Map(), [], [], undefined, new Map()];
  sns = await scriptedServer(({ body }) => refusal ?? answer(new URLSearchParams(body)));
  proxy = await startFaultProxy(sns.url, ({ n }) => faults.get(n));
  vendorEnvironment(home(), {
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_ENDPOINT_URL_SNS: proxy.url,
  });
  enqueuer = openSnsEnqueuer(TOPIC, { clock, awsSnsRegion: 'eu-west-1' }, PATIENCE);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await enqueuer[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await sns[Symbol.asyncDispose]();
});

function answer(form: URLSearchParams): Answer {
  expect(form.get('TopicArn')).toBe(TOPIC);
  if (form.get('Action') === 'GetTopicAttributes') return xml('GetTopicAttributes', '<Attributes/>');
  expect(form.get('Action')).toBe('PublishBatch');
  const members: { id: string; body: string }[] = [];
  for (let i = 1; form.has(`PublishBatchRequestEntries.member.${i}.Id`); i++) {
    const member = (name: string): string => form.get(`PublishBatchRequestEntries.member.${i}.${name}`) ?? '';
    members.push({ id: member('Id'), body: member('Message') });
  }
  batches.push(members.map(({ body }) => body));
  const results = members.map(({ id, body }) => {
    const failure = failures.get(body)?.shift();
    if (!failure) stored.push(body);
    return { id, failure };
  });
  const successful = results
    .filter(({ failure }) => !failure)
    .map(({ id }) => `<member><Id>${id}</Id><MessageId>m</MessageId></member>`);
  const failed = results
    .filter(({ failure }) => failure)
    .map(
      ({ id, failure }) =>
        `<member><Id>${id}</Id><Code>${failure?.code}</Code><Message>as it is</Message><SenderFault>${failure?.senderFault}</SenderFault></member>`,
    );
  return xml('PublishBatch', `<Successful>${successful.join('')}</Successful><Failed>${failed.join('')}</Failed>`);
}

function xml(action: string, result: string): Answer {
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`,
  };
}

function errorAnswer(status: number, code: string): Answer & { status: number } {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>as it is</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  };
}

function publishAll(bodies: readonly string[]): Promise<PromiseSettledResult<void>[]> {
  return Promise.allSettled(bodies.map((body) => enqueuer.publish(body)));
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `message ${i}`);

describe('the name', () => {
  it.each([
    'arn:aws:sns:eu-west-1:123456789012:intake-tasks',
    'arn:aws-cn:sns:eu-west-1:123456789012:A_b-9',
    'arn:aws-us-gov:sns:eu-west-1:123456789012:x',
  ])('may be %s', (topic) => {
    expect(openSnsEnqueuer(topic, { clock, awsSnsRegion: 'eu-west-1' }).url).toBe(topic);
  });

  it.each([
    '',
    'intake-tasks',
    'arn:aws:sqs:eu-west-1:123456789012:intake-tasks',
    'arn:aws:sns:eu-west-1:12345:intake-tasks',
    'arn:aws:sns:eu-west-1:123456789012:',
    'arn:aws:sns:eu-west-1:123456789012:tasks.fifo',
    'arn:aws:sns:eu-west-1:123456789012:intake-tasks:0f0e',
    ' arn:aws:sns:eu-west-1:123456789012:intake-tasks',
    `arn:aws:sns:eu-west-1:123456789012:${'x'.repeat(257)}`,
  ])('is not %j', (topic) => {
    const open = (): unknown => openSnsEnqueuer(topic, { clock, awsSnsRegion: 'eu-west-1' });
    expect(open).toThrow(UsageError);
    expect(open).toThrow(`${JSON.stringify(topic)} is no ARN of an SNS standard topic, like arn:aws:sns:eu-west-1:`);
  });

  it.each([undefined, ''])('is not enough: without a region (%j) the option is named', (awsSnsRegion) => {
    const open = (): unknown => openSnsEnqueuer(TOPIC, { clock, awsSnsRegion });
    expect(open).toThrow(UsageError);
    expect(open).toThrow('--aws-sns-region');
  });

  it('must be of the region that is set', () => {
    const open = (): unknown => openSnsEnqueuer(TOPIC, { clock, awsSnsRegion: 'us-east-1' });
    expect(open).toThrow(ConfigurationInvalid);
    expect(open).toThrow(`${TOPIC} is not in the region us-east-1, which --aws-sns-region gives`);
  });
});

describe('publishing', () => {
  it('sends what comes at once in batches of 10', async () => {
    await publishAll(numbered(25));
    expect(stored.toSorted()).toEqual(numbered(25).toSorted());
    expect(batches.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([5, 10, 10]);
  });

  it('sends batches of at most 262,144 bytes of UTF-8', async () => {
    const bodies = ['ü'.repeat(65_536), 'x'.repeat(131_072), 'y', 'z'.repeat(262_144)];
    await publishAll(bodies);
    const sizes = batches.map((batch) => batch.map((body) => Buffer.byteLength(body)).join('+'));
    expect(sizes.toSorted()).toEqual(['1', '131072+131072', '262144']);
    expect(stored.toSorted()).toEqual(bodies.toSorted());
  });

  it('refuses a message that is too large for SNS, and only that', async () => {
    const fates = await publishAll(['a', 'x'.repeat(262_145), 'b']);
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(fates[1]).toMatchObject({ reason: expect.any(ConfigurationInvalid) });
    expect(stored).toEqual(['a', 'b']);
  });

  it.each<[string, Fault]>([
    ['503', errorAnswer(503, 'ServiceUnavailable')],
    ['429', errorAnswer(429, 'Throttling')],
    ['400 Throttled', errorAnswer(400, 'Throttled')],
    ['a connection that is reset', 'reset'],
    ['a connection that is reset half-way through the answer', 'reset-in-body'],
  ])('repeats a batch after %s', async (_, fault) => {
    faults.set(1, fault);
    const fates = await publishAll(numbered(7));
    expect(fates.map(({ status }) => status)).toEqual(numbered(7).map(() => 'fulfilled'));
    expect(new Set(stored)).toEqual(new Set(numbered(7)));
    expect(proxy.requests).toHaveLength(2);
  });

  it('repeats a request that is not answered in time', async () => {
    faults.set(1, 'timeout');
    await enqueuer.publish('late');
    expect(stored).toEqual(['late']);
  });

  it.each<[string, Fault]>([
    ['503', errorAnswer(503, 'ServiceUnavailable')],
    ['a reset', 'reset'],
  ])('gives up after some attempts: %s', async (_, fault) => {
    for (let n = 1; n <= 3; n++) faults.set(n, fault);
    const fates = await publishAll(['a', 'b']);
    for (const fate of fates) expect(fate).toMatchObject({ reason: expect.any(QueueUnavailable) });
    expect(String(fates[0]?.status === 'rejected' && fates[0].reason)).toContain(`cannot publish to ${TOPIC}`);
    expect(proxy.requests).toHaveLength(3);
    await enqueuer.publish('c');
    expect(stored).toEqual(['c']);
  });

  it('repeats only the messages of a batch that SNS failed to store', async () => {
    const once = { code: 'InternalError', senderFault: false };
    failures.set('message 3', [once]).set('message 5', [once, once]);
    const fates = await publishAll(numbered(8));
    expect(fates.map(({ status }) => status)).toEqual(numbered(8).map(() => 'fulfilled'));
    expect(batches).toEqual([numbered(8), ['message 3', 'message 5'], ['message 5']]);
    expect(stored.toSorted()).toEqual(numbered(8));
  });

  it('rejects a message whose own fault it is at once, and only that', async () => {
    failures.set('bad', [{ code: 'InvalidParameter', senderFault: true }]);
    const fates = await publishAll(['a', 'bad', 'b']);
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(fates[1]).toMatchObject({ reason: expect.any(QueueUnavailable) });
    expect(fates[1]).toMatchObject({ reason: { message: expect.stringMatching(/InvalidParameter.*as it is/) } });
    expect(batches).toHaveLength(1);
  });

  it('rejects a message that SNS fails to store again and again, and only that', async () => {
    failures.set(
      'unlucky',
      Array.from({ length: 3 }, () => ({ code: 'InternalError', senderFault: false })),
    );
    const fates = await publishAll(['a', 'unlucky', 'b']);
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(fates[1]).toMatchObject({ reason: { message: expect.stringContaining('InternalError, a fault of SNS') } });
    expect(batches).toEqual([['a', 'unlucky', 'b'], ['unlucky'], ['unlucky']]);
  });

  it.each([
    [403, 'AuthorizationError', PermissionDenied, `sns:Publish on it is needed`],
    [404, 'NotFound', ConfigurationInvalid, 'the topic does not exist; create it with Terraform'],
    [400, 'InvalidParameter', ConfigurationInvalid, 'SNS says that it cannot work'],
    [400, 'KMSAccessDenied', PermissionDenied, 'kms:GenerateDataKey'],
    [400, 'KMSDisabled', ConfigurationInvalid, 'SNS says that it cannot work'],
    [403, 'InvalidClientTokenId', PermissionDenied, 'the AWS credentials are refused (InvalidClientTokenId)'],
    [403, 'SignatureDoesNotMatch', PermissionDenied, 'the AWS credentials are refused'],
    [403, 'ExpiredToken', PermissionDenied, 'the AWS credentials are refused'],
  ])('names the failure %i %s, and does not repeat it', async (status, code, Failure, text) => {
    refusal = errorAnswer(status, code);
    const failure: unknown = await enqueuer.publish('task').catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(text) });
    expect(failure).toMatchObject({ message: expect.stringContaining(TOPIC) });
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(SECRET);
    expect(sns.seen).toHaveLength(1);
  });

  it('without credentials says so', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    await expect(enqueuer.publish('task')).rejects.toThrow(PermissionDenied);
    await expect(enqueuer.publish('task')).rejects.toThrow('no AWS credentials');
    expect(sns.seen).toEqual([]);
  });
});

describe('check', () => {
  it('passes if the topic is there', async () => {
    await enqueuer.check();
    expect(sns.seen).toHaveLength(1);
    expect(batches).toEqual([]);
  });

  it('passes if we may not look, since we still may be allowed to publish', async () => {
    refusal = errorAnswer(403, 'AuthorizationError');
    await enqueuer.check();
  });

  it.each([
    [404, 'NotFound', ConfigurationInvalid],
    [403, 'InvalidClientTokenId', PermissionDenied],
    [400, 'InvalidParameter', ConfigurationInvalid],
    [503, 'ServiceUnavailable', QueueUnavailable],
  ])('fails for %i %s', async (status, code, Failure) => {
    refusal = errorAnswer(status, code);
    const failure: unknown = await enqueuer.check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(`cannot use ${TOPIC}`) });
  });

  it('without credentials says so', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    await expect(enqueuer.check()).rejects.toThrow(PermissionDenied);
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
});

it('refuses an identity that is no role', () => {
  const settings = { clock, awsSnsRegion: 'eu-west-1', credentials: { identity: 'publisher' } };
  expect(() => openSnsEnqueuer(TOPIC, settings)).toThrow(ConfigurationInvalid);
});

it('says so if the ambient role may not be assumed', async () => {
  const body = errorAnswer(403, 'AccessDenied').body.replace('as it is', 'Not authorized to perform sts:AssumeRole…');
  await using sts = await scriptedServer(() => ({ status: 403, body }));
  const token = join(home(), 'token');
  writeFileSync(token, 'token');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', token);
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/publisher');
  for (const use of [() => enqueuer.check(), () => enqueuer.publish('task')]) {
    await expect(use()).rejects.toThrow(PermissionDenied);
    await expect(use()).rejects.toThrow('our role may not be assumed; see its trust policy');
  }
  expect(sns.seen).toEqual([]);
});

it('assumes the role that it is given, and says why if it may not', async () => {
  await using sts = await scriptedServer(() => errorAnswer(403, 'AccessDenied'));
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', '/nonexistent/token');
  const identity = 'arn:aws:iam::123456789012:role/publisher';
  await using asRole = openSnsEnqueuer(
    TOPIC,
    { clock, awsSnsRegion: 'eu-west-1', credentials: { identity } },
    PATIENCE,
  );
  await expect(asRole.publish('task')).rejects.toThrow(PermissionDenied);
  await expect(asRole.check()).rejects.toThrow(`cannot assume ${identity}`);
  expect(sns.seen).toEqual([]);
});
