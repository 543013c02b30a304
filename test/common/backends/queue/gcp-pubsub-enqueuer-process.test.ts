import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPubSubEmulator, withoutPubSubEmulator } from '../../../services/pubsub-emulator.ts';
import type { Service } from '../../../services/service.ts';
import { start, type Ended } from '../../../support/child-process.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';

/** Plain node runs no TypeScript, so that the children run what the build made; `npm test` builds first. */
const BUILT = new URL('../../../../dist/common/backends/queue/gcp-pubsub-enqueuer.js', import.meta.url);

/** Calls the methods in its arguments one after the other, and prints a line for each, with the time at its end. */
const PROGRAM = `
import { createRequire } from 'node:module';
import { openPubSubEnqueuer } from ${JSON.stringify(BUILT.href)};

const enqueuer = openPubSubEnqueuer('tasks', {
  clock: () => new Date(),
  gcpProjectId: 'project',
  pubsubEmulatorHost: process.env.EMULATOR,
});
const calls = {
  create: () => enqueuer.create(),
  check: () => enqueuer.check(),
  publish: () => Promise.all(Array.from({ length: 150 }, (_, i) => enqueuer.publish('message ' + i))),
  dispose: () => enqueuer[Symbol.asyncDispose](),
};
for (const name of process.argv.slice(2)) {
  const outcome = await calls[name]().then(() => 'done', (err) => err.code + ' ' + err.message);
  console.log(name + ': ' + outcome);
}
const modules = Object.keys(createRequire(import.meta.url).cache);
console.log('library: ' + modules.some((path) => path.includes('/@google-cloud/pubsub/')));
const disposedAt = performance.now();
process.on('exit', () => console.log('ended after ' + Math.round(performance.now() - disposedAt)));
`;

/** Milliseconds: on a busy machine, too, and far from any timeout of the library. */
const PROMPT_MS = 2000;

const home = temporaryDirectory();
let metadata: Server;
let metadataRequests = 0;

beforeAll(async () => {
  expect(existsSync(BUILT), `${fileURLToPath(BUILT)} is missing: run 'npm run build' first`).toBe(true);
  metadata = createServer((_, response) => {
    metadataRequests++;
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve));
});
afterAll(() => metadata.close());
beforeEach(() => {
  metadataRequests = 0;
});

function run(calls: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const program = join(home(), 'program.mjs');
  writeFileSync(program, PROGRAM);
  // It listens on a port.
  const metadataHost = `127.0.0.1:${(metadata.address() as AddressInfo).port}`;
  return start(program, calls, { env: { HOME: home(), GCE_METADATA_HOST: metadataHost, ...env } }).ended;
}

function lines({ stdout, stderr }: Ended): string[] {
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

/** In milliseconds, from the last call to the end of the process, which it has to find by itself. */
function lastMs(ended: Ended): number {
  expect(ended).toMatchObject({ status: 0, signal: null });
  return Number(/^ended after (\d+)$/m.exec(ended.stdout)?.[1]);
}

describe.skipIf(withoutPubSubEmulator('Pub/Sub enqueuer in a process'))('a process with the emulator', () => {
  let emulator: Service;
  beforeAll(async () => {
    emulator = await startPubSubEmulator();
  });
  afterAll(() => emulator[Symbol.asyncDispose]());

  it('ends by itself soon after the topic is disposed of, and asks no metadata server', async () => {
    const EMULATOR = `127.0.0.1:${emulator.port}`;
    const ended = await run(['create', 'check', 'publish', 'dispose'], { EMULATOR });
    expect(lines(ended).slice(0, -1)).toEqual([
      'create: done',
      'check: done',
      'publish: done',
      'dispose: done',
      'library: true',
    ]);
    expect(lastMs(ended)).toBeLessThan(PROMPT_MS);
    expect(metadataRequests).toBe(0);
  });

  it('checks a topic without the library for publishing', async () => {
    await run(['create', 'dispose'], { EMULATOR: `127.0.0.1:${emulator.port}` });
    const ended = await run(['check', 'dispose'], { EMULATOR: `127.0.0.1:${emulator.port}` });
    expect(lines(ended).slice(0, -1)).toEqual(['check: done', 'dispose: done', 'library: false']);
    expect(lastMs(ended)).toBeLessThan(PROMPT_MS);
    expect(metadataRequests).toBe(0);
  });
});

describe('a process without credentials', () => {
  it.each(['check', 'publish', 'create'])('is told so by %s, and ends', async (call) => {
    const ended = await run([call, 'dispose'], { METADATA_SERVER_DETECTION: 'none' });
    const [first, second] = lines(ended);
    expect(first).toContain(
      `${call}: E_PERMISSION_DENIED cannot get Google credentials for projects/project/topics/tasks`,
    );
    expect(first).toContain('Workload Identity');
    expect(second).toBe('dispose: done');
    expect(lastMs(ended)).toBeLessThan(PROMPT_MS);
  });
});
