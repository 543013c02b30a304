import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqsTaskQueue } from '../../../../common/backends/queue/aws-sqs.ts';
import type { TaskQueueSettings } from '../../../../common/backends/queue/settings.ts';
import {
  ConfigurationInvalid,
  LeaseLost,
  PermissionDenied,
  QueueUnavailable,
  UsageError,
} from '../../../../common/errors.ts';
import type { Delivery, TaskQueue } from '../../../../common/ports/queue.ts';
import { textOf } from '../../../contract/queue/fixtures.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../support/fault-proxy.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from '../credentials/environment.ts';
import { scriptedServer, type Answer, type ScriptedServer } from '../credentials/scripted-server.ts';

const clock = (): Date => new Date(0);
const PATIENCE = { connectTimeoutMs: 1000, requestTimeoutMs: 1000, attempts: 3, pollSeconds: 1, partingMs: 300 };
const SECRET = 'the-secret-access-key';
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:rejected';
const TASK = {
  MessageId: 'm-1',
  ReceiptHandle: 'receipt',
  Body: 'task',
  // The SDK compares it.
  MD5OfBody: createHash('md5').update('task').digest('hex'),
};

interface Call {
  readonly action: string;
  readonly request: Readonly<Record<string, unknown>>;
}

const home = temporaryDirectory();
let calls: Call[];
/** What SQS has to give, one message to a poll. */
let messages: object[];
/** By action. */
let refusals: Map<string, Answer>;
/** By number of the request, from 1. */
let faults: Map<number, Fault>;
let aws: ScriptedServer;
let proxy: FaultProxy;
let url: string;
let queue: TaskQueue;

beforeEach(async () => {
  [calls, messages, refusals, faults] = [[], [], new Map(), new Map()];
  aws = await scriptedServer(({ headers, body }) => {
    const target = String(headers['x-amz-target'] ?? '');
    const isSqs = target.startsWith('AmazonSQS.');
    const form = new URLSearchParams(body);
    const action = isSqs ? target.slice('AmazonSQS.'.length) : String(form.get('Action'));
    const request = isSqs ? (JSON.parse(body) as Record<string, unknown>) : Object.fromEntries(form);
    calls.push({ action, request });
    const refusal = refusals.get(action);
    if (refusal) return refusal;
    if (isSqs) return json(action === 'ReceiveMessage' ? { Messages: messages.splice(0, 1) } : {});
    const stored = '<Successful><member><Id>0</Id><MessageId>m</MessageId></member></Successful>';
    return {
      headers: { 'content-type': 'text/xml' },
      body: `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${action}Result>${stored}</${action}Result></${action}Response>`,
    };
  });
  proxy = await startFaultProxy(aws.url, ({ n }) => faults.get(n));
  vendorEnvironment(home(), { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: SECRET, AWS_ENDPOINT_URL: proxy.url });
  url = `${proxy.url}/123456789012/tasks`;
  queue = open();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await queue[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
});

function open(settings: Partial<TaskQueueSettings> = {}): TaskQueue {
  return openSqsTaskQueue(url, { clock, awsSqsRegion: 'eu-west-1', ...settings }, PATIENCE);
}

function json(body: object, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(body) };
}

function errorAnswer(status: number, code: string, message = 'as it is'): Answer & { status: number } {
  return { ...json({ __type: `com.amazonaws.sqs#${code}`, message }), status };
}

async function takeTask(from: TaskQueue = queue, task = TASK): Promise<Delivery> {
  messages.push({ ...task, Attributes: { ApproximateReceiveCount: '2', SentTimestamp: '1' } });
  const delivery = await from.receive(new AbortController().signal);
  if (!delivery) throw new Error('no delivery');
  return delivery;
}

const actions = (): string[] => calls.map(({ action }) => action);

describe('the endpoint', () => {
  it.each([
    'https://sqs.eu-west-1.amazonaws.com/123456789012/tasks',
    'https://eu-west-1.queue.amazonaws.com/123456789012/tasks',
  ])('is that of AWS_ENDPOINT_URL for a queue of AWS: %s', async (name) => {
    await using queue = openSqsTaskQueue(name, { clock }, PATIENCE);
    await queue.check();
    expect(calls).toMatchObject([{ action: 'GetQueueAttributes', request: { QueueUrl: name } }]);
  });

  it('is that of any other URL', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    await queue.check();
    expect(actions()).toEqual(['GetQueueAttributes']);
  });
});

it('refuses an identity that is no role, and a deadline that SQS does not have', () => {
  expect(() => open({ credentials: { identity: 'worker' } })).toThrow(ConfigurationInvalid);
  for (const ackDeadlineMs of [999, 43_200_001, NaN]) expect(() => open({ ackDeadlineMs })).toThrow(UsageError);
});

describe('receiving', () => {
  it('is a long poll of 20 s for one message that is then hidden for 10 minutes', async () => {
    await using patient = openSqsTaskQueue(url, { clock, awsSqsRegion: 'eu-west-1' });
    const delivery = await takeTask(patient);
    expect([delivery.id, textOf(delivery), delivery.attempt]).toEqual(['m-1', 'task', 2]);
    expect(delivery.publishedAt).toEqual(new Date(1));
    expect(calls).toEqual([
      {
        action: 'ReceiveMessage',
        request: {
          QueueUrl: url,
          MaxNumberOfMessages: 1,
          WaitTimeSeconds: 20,
          VisibilityTimeout: 600,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
        },
      },
    ]);
    expect(patient.ackDeadlineMs).toBe(600_000);
  });

  it('goes on as long as there is nothing', async () => {
    const waiting = queue.receive(new AbortController().signal);
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(3));
    messages.push(TASK);
    const delivery = await waiting;
    expect([delivery?.attempt, delivery?.publishedAt]).toEqual([undefined, undefined]);
  });

  it.each<[string, Fault]>([
    ['503', errorAnswer(503, 'ServiceUnavailable')],
    ['throttling', errorAnswer(400, 'ThrottlingException')],
    ['a connection that is reset', 'reset'],
    ['no answer long after the poll is over', 'timeout'],
  ])('is repeated after %s', async (_, fault) => {
    faults.set(1, fault);
    expect(textOf(await takeTask())).toBe('task');
    expect(proxy.requests).toHaveLength(2);
  });

  it('fails after some attempts, and works again afterwards', async () => {
    for (let n = 1; n <= 3; n++) faults.set(n, errorAnswer(503, 'ServiceUnavailable'));
    await expect(queue.receive(new AbortController().signal)).rejects.toThrow(QueueUnavailable);
    expect(textOf(await takeTask())).toBe('task');
  });

  it.each([
    [400, 'QueueDoesNotExist', ConfigurationInvalid, 'the queue does not exist'],
    [400, 'AccessDeniedException', PermissionDenied, 'sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessage'],
    [400, 'KmsAccessDenied', PermissionDenied, 'kms:Decrypt on its key'],
    [400, 'KmsDisabled', ConfigurationInvalid, 'SQS says that it cannot work'],
    [403, 'InvalidClientTokenId', PermissionDenied, 'the AWS credentials are refused (InvalidClientTokenId)'],
    [403, 'SignatureDoesNotMatch', PermissionDenied, 'the AWS credentials are refused'],
    [400, 'OverLimit', QueueUnavailable, 'cannot receive from'],
  ])('fails at once with %i %s', async (status, code, Failure, text) => {
    refusals.set('ReceiveMessage', errorAnswer(status, code));
    const failure: unknown = await queue.receive(new AbortController().signal).catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(text) });
    expect(failure).toMatchObject({ message: expect.stringContaining(`cannot receive from ${url}`) });
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(SECRET);
    expect(actions()).toEqual(['ReceiveMessage']);
  });

  it('without credentials says so', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    await expect(queue.receive(new AbortController().signal)).rejects.toThrow('no AWS credentials');
    expect(calls).toEqual([]);
  });

  it('has no more polls and messages at once than the pool is large', async () => {
    await using three = open({ poolSize: 3 });
    for (let n = 1; n <= 3; n++) faults.set(n, 'timeout');
    const leaver = new AbortController();
    const waiting = Array.from({ length: 5 }, () => three.receive(leaver.signal));
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(3));
    leaver.abort();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => undefined));
    expect(proxy.requests).toHaveLength(3);
    const held = [await takeTask(three), await takeTask(three), await takeTask(three)];
    const fourth = takeTask(three);
    expect(actions()).toHaveLength(3);
    await held[0]?.ack();
    await fourth;
    expect(actions()).toEqual([...Array<string>(3).fill('ReceiveMessage'), 'DeleteMessage', 'ReceiveMessage']);
  });
});

describe('when we go', () => {
  it('a message that comes in time is given back', async () => {
    const leaver = new AbortController();
    refusals.set('ReceiveMessage', json({ Messages: [TASK] }));
    const waiting = queue.receive(leaver.signal);
    leaver.abort();
    expect(await waiting).toBeUndefined();
    // Unless we went before asking.
    if (calls.length === 0) return;
    expect(calls.at(-1)).toEqual({
      action: 'ChangeMessageVisibility',
      request: { QueueUrl: url, ReceiptHandle: 'receipt', VisibilityTimeout: 0 },
    });
  });

  it('a message that is handed out in the last moment is given back', async () => {
    const leaver = new AbortController();
    messages.push(TASK);
    // The answer is there when the abort is.
    const giving = scriptedServer(() => {
      leaver.abort();
      return json({ Messages: [TASK] });
    });
    await using server = await giving;
    vi.stubEnv('AWS_ENDPOINT_URL', server.url);
    await using other = openSqsTaskQueue(`${server.url}/123456789012/tasks`, { clock, awsSqsRegion: 'eu-west-1' });
    expect(await other.receive(leaver.signal)).toBeUndefined();
    expect(server.seen.map(({ headers }) => headers['x-amz-target'])).toEqual([
      'AmazonSQS.ReceiveMessage',
      'AmazonSQS.ChangeMessageVisibility',
    ]);
  });

  it('a poll that is not answered is cut soon', async () => {
    faults.set(1, 'timeout');
    const leaver = new AbortController();
    const waiting = queue.receive(leaver.signal);
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    leaver.abort();
    expect(await waiting).toBeUndefined();
    expect(proxy.requests).toHaveLength(1);
  });

  it('by disposing of the queue, those who wait go with nothing, as do those who come later', async () => {
    faults.set(1, 'timeout');
    const waiting = queue.receive(new AbortController().signal);
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    await queue[Symbol.asyncDispose]();
    expect(await waiting).toBeUndefined();
    expect(await queue.receive(new AbortController().signal)).toBeUndefined();
  });
});

describe('a delivery', () => {
  it.each([
    ['ack', 'DeleteMessage', {}],
    ['nack', 'ChangeMessageVisibility', { VisibilityTimeout: 0 }],
    ['extend', 'ChangeMessageVisibility', { VisibilityTimeout: 600 }],
  ] as const)('tells SQS by %s', async (method, action, parameters) => {
    await (await takeTask())[method]();
    expect(calls.at(-1)).toEqual({ action, request: { QueueUrl: url, ReceiptHandle: 'receipt', ...parameters } });
  });

  it('that is rejected is extended, published and deleted', async () => {
    await using parking = open({ rejectedTopic: TOPIC });
    await (await takeTask(parking)).reject();
    expect(actions()).toEqual(['ReceiveMessage', 'ChangeMessageVisibility', 'PublishBatch', 'DeleteMessage']);
    expect(calls[2]?.request).toMatchObject({
      TopicArn: TOPIC,
      'PublishBatchRequestEntries.member.1.Message': 'task',
    });
  });

  it('that is rejected without a topic is given back', async () => {
    await (await takeTask()).reject();
    expect(calls.at(-1)?.request).toMatchObject({ VisibilityTimeout: 0 });
  });

  it('that is rejected in vain is not deleted', async () => {
    await using parking = open({ rejectedTopic: TOPIC });
    const body =
      '<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>as it is</Message></Error></ErrorResponse>';
    refusals.set('PublishBatch', { status: 404, headers: { 'content-type': 'text/xml' }, body });
    const delivery = await takeTask(parking);
    await expect(delivery.reject()).rejects.toThrow(`cannot publish to ${TOPIC}: the topic does not exist`);
    expect(actions()).not.toContain('DeleteMessage');
  });

  it('that is larger than SNS has it is not published, nor deleted, and may be given back', async () => {
    await using parking = open({ rejectedTopic: TOPIC });
    const Body = 'x'.repeat(262_145);
    const large = { ...TASK, Body, MD5OfBody: createHash('md5').update(Body).digest('hex') };
    const delivery = await takeTask(parking, large);
    const failure: unknown = await delivery.reject().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(ConfigurationInvalid);
    expect(failure).toMatchObject({
      message: `cannot publish a message of 262145 bytes to ${TOPIC}, which takes 1 to 262144 bytes`,
    });
    await delivery.nack();
    expect(actions()).toEqual(['ReceiveMessage', 'ChangeMessageVisibility', 'ChangeMessageVisibility']);
    expect(calls.at(-1)?.request).toMatchObject({ VisibilityTimeout: 0 });
  });

  it.each([
    ['ReceiptHandleIsInvalid', 'as it is'],
    ['MessageNotInflight', 'as it is'],
    [
      'InvalidParameterValue',
      'Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.',
    ],
  ])('is no longer ours after %s', async (code, message) => {
    for (const method of ['ack', 'nack', 'extend'] as const) {
      const delivery = await takeTask();
      refusals.set('DeleteMessage', errorAnswer(400, code, message));
      refusals.set('ChangeMessageVisibility', errorAnswer(400, code, message));
      await expect(delivery[method]()).rejects.toThrow(LeaseLost);
      await expect(delivery[method]()).rejects.toThrow('message m-1 of');
    }
  });

  it.each([
    ['AccessDeniedException', PermissionDenied],
    ['InvalidParameterValue', ConfigurationInvalid],
    ['ServiceUnavailable', QueueUnavailable],
  ] as const)('says what could not be told: %s', async (code, Failure) => {
    const delivery = await takeTask();
    refusals.set('DeleteMessage', errorAnswer(code === 'ServiceUnavailable' ? 503 : 400, code));
    const failure: unknown = await delivery.ack().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(`cannot acknowledge message m-1 of ${url}`) });
  });
});

describe('check', () => {
  it('passes if the queue and the rejected topic are there, and takes nothing', async () => {
    await using parking = open({ rejectedTopic: TOPIC });
    await parking.check();
    expect(actions()).toEqual(['GetQueueAttributes', 'GetTopicAttributes']);
  });

  it('fails if we may not look, and says which permissions are needed', async () => {
    refusals.set('GetQueueAttributes', errorAnswer(403, 'AccessDeniedException'));
    const failure: unknown = await queue.check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(PermissionDenied);
    for (const permission of ['sqs:ReceiveMessage', 'sqs:GetQueueAttributes']) {
      expect(failure).toMatchObject({ message: expect.stringContaining(permission) });
    }
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(SECRET);
    expect(actions()).toEqual(['GetQueueAttributes']);
  });

  it.each([
    [400, 'QueueDoesNotExist', ConfigurationInvalid],
    [403, 'InvalidClientTokenId', PermissionDenied],
    [503, 'ServiceUnavailable', QueueUnavailable],
  ])('fails for %i %s', async (status, code, Failure) => {
    refusals.set('GetQueueAttributes', errorAnswer(status, code));
    const failure: unknown = await queue.check().catch((err: unknown) => err);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ message: expect.stringContaining(`cannot use ${url}`) });
  });

  it('ends when it is aborted half-way', async () => {
    faults.set(1, 'timeout');
    const controller = new AbortController();
    const reason = new Error('aborted');
    const checking = expect(queue.check(controller.signal)).rejects.toBe(reason);
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    controller.abort(reason);
    await checking;
  });
});
