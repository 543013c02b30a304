import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** Plain node runs no TypeScript, so that the children run what the build made; `npm test` builds first. */
const BUILT = new URL('../../../../dist/common/backends/queue/', import.meta.url);

const CONSUMERS = 3;
const PUBLISHERS = 2;
const MESSAGES_EACH = 75;
/** After how many lines, and how many turns of its event loop from there, a consumer is killed: amid any step. */
const KILLS = [
  [1, 0],
  [2, 3],
  [5, 8],
  [8, 1],
  [13, 22],
  [16, 5],
  [7, 13],
  [6, 2],
  [3, 40],
  [4, 30],
  [9, 18],
  [12, 4],
] as const;
const ACK_DEADLINE_MS = 1000;
const MAX_DELIVERIES = 100;

/**
 * `node consume.mjs <queue> [<lines> <turns>]` prints a line for each step of each delivery, and goes on until it is
 * killed. With numbers it kills itself then, as whoever reads its lines would be late.
 */
const CONSUMER_PROGRAM = `
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers';
import { setImmediate } from 'node:timers/promises';
import { LocalTaskQueue } from ${JSON.stringify(new URL('local.js', BUILT).href)};

const queue = new LocalTaskQueue({
  directory: process.argv[2],
  clock: () => new Date(),
  ackDeadlineMs: ${ACK_DEADLINE_MS},
  maxDeliveries: ${MAX_DELIVERIES},
});
let linesLeft = Number(process.argv[3] ?? Infinity);
let turnsLeft = Number(process.argv[4]);
function tell(step, body) {
  writeSync(1, step + ' ' + body + '\\n');
  if (--linesLeft === 0) die();
}
function die() {
  if (turnsLeft-- === 0) process.kill(process.pid, 'SIGKILL');
  else nextTurn(die);
}

const { signal } = new AbortController();
for (;;) {
  const delivery = await queue.receive(signal);
  const body = Buffer.from(delivery.body).toString();
  tell('received', body);
  for (let i = 0; i < 20; i++) await setImmediate();
  try {
    await delivery.extend();
    await delivery.ack();
    tell('acknowledged', body);
  } catch (err) {
    if (err.code !== 'E_LEASE_LOST') throw err;
    tell('lost', body);
  }
}
`;

/** `node publish.mjs <queue> <name> <count>` prints a line for each message that the queue has stored. */
const PUBLISHER_PROGRAM = `
import { writeSync } from 'node:fs';
import { LocalEnqueuer } from ${JSON.stringify(new URL('local-enqueuer.js', BUILT).href)};

const [, , directory, name, count] = process.argv;
const enqueuer = new LocalEnqueuer({ directory, clock: () => new Date() });
for (let i = 0; i < Number(count); i++) {
  const body = name + '-' + String(i).padStart(6, '0') + '.'.repeat(100_000);
  await enqueuer.publish(body);
  writeSync(1, 'published ' + body.slice(0, -100_000) + '\\n');
}
`;

interface Child {
  readonly ended: Promise<unknown>;
  kill(): void;
}

let scratch: string;
let queue: string;
const running = new Set<ChildProcessByStdio<null, Readable, null>>();

beforeEach(async () => {
  expect(existsSync(BUILT), `${fileURLToPath(BUILT)} is missing: run 'npm run build' first`).toBe(true);
  scratch = await mkdtemp(join(tmpdir(), 'dsp-queue-crash-'));
  queue = join(scratch, 'queue');
  await writeFile(join(scratch, 'consume.mjs'), CONSUMER_PROGRAM);
  await writeFile(join(scratch, 'publish.mjs'), PUBLISHER_PROGRAM);
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(scratch, { recursive: true });
});

/** Runs a program until it ends by itself, which it must do well, or is killed with signal 9. */
function run(program: string, args: readonly string[], onLine: (line: string, count: number) => void): Child {
  const child = spawn(process.execPath, [join(scratch, program), queue, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let count = 0;
  const lines = createInterface({ input: child.stdout }).on('line', (line) => onLine(line, ++count));
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[code, signal]]) => {
    running.delete(child);
    expect(signal === 'SIGKILL' || code === 0).toBe(true);
  });
  return { ended, kill: () => child.kill('SIGKILL') };
}

async function files(folder: string): Promise<string[]> {
  const path = join(queue, folder);
  return existsSync(path) ? readdir(path) : [];
}

/** A message is ready or leased until its acknowledgement is stored, and never goes back here from the second. */
async function untilEmpty(): Promise<void> {
  await expect
    .poll(async () => [...(await files('ready')), ...(await files('leased'))], { timeout: 20_000, interval: 50 })
    .toEqual([]);
}

it('delivers every message, and after its acknowledgement never again, when consumers are killed', async () => {
  const count = new Map<string, number>();
  const countOf = (step: string, body: string): number => count.get(`${step} ${body}`) ?? 0;
  const kills = [...KILLS];
  const over = new AbortController();

  /** A consumer, and when it is killed another one in its place. */
  const consume = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const killAt = kills.shift();
      const child = run('consume.mjs', (killAt ?? []).map(String), (line) => {
        const [step = ''] = line.split('.', 1);
        count.set(step, (count.get(step) ?? 0) + 1);
      });
      consumers.add(child);
      await child.ended;
      consumers.delete(child);
    }
  };
  const consumers = new Set<Child>();
  const consuming = Array.from({ length: CONSUMERS }, consume);
  const names = Array.from({ length: PUBLISHERS }, (_, i) => `publisher ${i}`);
  await Promise.all(names.map((name) => run('publish.mjs', [name, String(MESSAGES_EACH)], () => {}).ended));
  await untilEmpty();
  over.abort();
  for (const child of consumers) child.kill();
  await Promise.all(consuming);

  const bodies = names.flatMap((name) =>
    Array.from({ length: MESSAGES_EACH }, (_, i) => `${name}-${String(i).padStart(6, '0')}`),
  );
  const total = (step: string): number => bodies.reduce((sum, body) => sum + countOf(step, body), 0);
  expect(kills).toEqual([]);
  expect(await files('dead-letters')).toEqual([]);
  expect(bodies.filter((body) => countOf('received', body) === 0)).toEqual([]);
  expect(bodies.filter((body) => countOf('acknowledged', body) > 1)).toEqual([]);
  // A consumer that is killed has one message in hand, or just acknowledged one without saying so.
  expect(total('acknowledged')).toBeGreaterThanOrEqual(bodies.length - KILLS.length - CONSUMERS);
  expect(total('received')).toBeLessThanOrEqual(bodies.length + KILLS.length + CONSUMERS + total('lost'));
});

it('has every message whole that a publisher was told is stored, when that is killed', async () => {
  const published: string[] = [];
  for (const lines of [1, 3, 10]) {
    const child = run('publish.mjs', [`until ${lines}`, '1000000'], (line, count) => {
      published.push(line.replace('published ', ''));
      if (count === lines) child.kill();
    });
    await child.ended;
  }
  const received: string[] = [];
  const consumer = run('consume.mjs', [], (line) => {
    const [, body] = /^received (.{7,8}-\d{6})\.{100000}$/.exec(line) ?? [];
    if (line.startsWith('received')) received.push(body ?? `cut: ${line.slice(0, 80)}`);
  });
  await untilEmpty();
  consumer.kill();
  await consumer.ended;
  expect(received).toEqual(expect.arrayContaining(published));
  expect(received.filter((body) => body.startsWith('cut'))).toEqual([]);
});
