import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMoto } from '../../../services/moto.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../../../services/pubsub-emulator.ts';
import { withoutTools, type Service } from '../../../services/service.ts';
import { start, type Ended } from '../../../support/child-process.ts';
import { startFlowControl, type FlowControl } from '../../../support/pubsub-flow-control.ts';
import { pubSubTopics } from '../../../support/pubsub-topics.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { scriptedServer } from '../credentials/scripted-server.ts';

/** Plain node runs no TypeScript, so that the children run what the build made; `npm test` builds first. */
const BUILT = new URL('../../../../dist/common/backends/queue/', import.meta.url);

/** Checks a queue, takes a message of it, waits for another in vain, holds one, and disposes of the queue. */
const PROGRAM = `
import { openPubSubTaskQueue } from ${JSON.stringify(new URL('gcp-pubsub.js', BUILT).href)};
import { GOOGLE } from ${JSON.stringify(new URL('gcp-pubsub-resource.js', BUILT).href)};
import { openSqsTaskQueue } from ${JSON.stringify(new URL('aws-sqs.js', BUILT).href)};

const [kind, name, streaming] = process.argv.slice(2);
const settings = { clock: () => new Date(), poolSize: 3, pubsubEmulatorHost: process.env.EMULATOR, awsSqsRegion: 'eu-west-1' };
const queue = kind === 'gcp-pubsub'
  ? openPubSubTaskQueue(name, settings, { ...GOOGLE, isStreaming: streaming === 'streaming' })
  : openSqsTaskQueue(name, settings);
await queue.check();
const forever = new AbortController().signal;
const first = await queue.receive(forever);
await first.ack();
const held = await queue.receive(forever);
console.log('received ' + [first, held].map(({ body }) => Buffer.from(body)).sort());
const waiting = queue.receive(forever);
await new Promise((resolve) => setTimeout(resolve, 200));
const leftAt = performance.now();
await queue[Symbol.asyncDispose]();
console.log('waited for ' + (await waiting));
process.on('exit', () => console.log('ended after ' + Math.round(performance.now() - leftAt)));
`;

/** Milliseconds: on a busy machine, and with the second for what is on its way. */
const PROMPT_MS = 3000;

const home = temporaryDirectory();

beforeAll(() => {
  const path = fileURLToPath(new URL('gcp-pubsub.js', BUILT));
  expect(existsSync(path), `${path} is missing: run 'npm run build' first`).toBe(true);
});

async function expectPromptEnd(args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const program = join(home(), 'program.mjs');
  writeFileSync(program, PROGRAM);
  await using metadata = await scriptedServer(() => ({ status: 404, body: '' }));
  const { ended } = start(program, args, { env: { HOME: home(), GCE_METADATA_HOST: metadata.host, ...env } });
  const end: Ended = await ended;
  expect(end).toMatchObject({ status: 0, signal: null });
  expect(end.stderr.replace(/.*NodeVersionSupportWarning[^]*/, '')).toBe('');
  const [received, waited] = end.stdout.split('\n');
  expect(received).toBe('received a,b');
  expect(waited).toBe('waited for undefined');
  expect(Number(/^ended after (\d+)$/m.exec(end.stdout)?.[1])).toBeLessThan(PROMPT_MS);
  expect(metadata.seen).toEqual([]);
}

describe.skipIf(withoutPubSubEmulator('TaskQueue of gcp-pubsub in a process'))('a process with Pub/Sub', () => {
  let emulator: Service;
  let flowControl: FlowControl;
  beforeAll(async () => {
    emulator = await startPubSubEmulator();
    flowControl = await startFlowControl(emulator.url);
  });
  afterAll(async () => {
    await flowControl[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
  });

  it.each(['streaming', 'polling'])(
    'ends by itself soon after the queue is disposed of, and asks no metadata server: %s',
    async (way) => {
      const topics = pubSubTopics(emulator.url);
      await topics.createTopic(way);
      await topics.createSubscription({ topic: way, id: way });
      for (const body of ['a', 'b']) await topics.publish(way, Buffer.from(body));
      const EMULATOR = flowControl.host;
      await expectPromptEnd(['gcp-pubsub', `projects/project/subscriptions/${way}`, way], { EMULATOR });
      // One was acknowledged, the other one is held.
      expect(await topics.drain(way)).toEqual([]);
    },
  );
});

describe.skipIf(withoutTools('TaskQueue of aws-sqs in a process', 'moto_server'))('a process with SQS', () => {
  let moto: Service;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto[Symbol.asyncDispose]());

  it('ends by itself soon after the queue is disposed of', async () => {
    const name = 'tasks';
    const ask = async (action: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` };
      const authorization = 'AWS4-HMAC-SHA256 Credential=id/20260101/eu-west-1/sqs/aws4_request';
      const body = JSON.stringify(parameters);
      const answer = await fetch(moto.url, { method: 'POST', headers: { ...headers, authorization }, body });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    };
    // As SQS answers it.
    const { QueueUrl } = (await ask('CreateQueue', { QueueName: name })) as { QueueUrl: string };
    for (const MessageBody of ['a', 'b']) await ask('SendMessage', { QueueUrl, MessageBody });
    const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_ENDPOINT_URL: moto.url };
    await expectPromptEnd(['aws-sqs', QueueUrl], env);
  });
});
