import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileStorage } from '../../../../common/backends/storage/file.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';

/** Plain node runs no TypeScript, so that the children run what the build made; `npm test` builds first. */
const BUILT = new URL('../../../../dist/common/backends/storage/file.js', import.meta.url);

const COUNTER = 'state/counter';
const CHILDREN = 4;
const INCREMENTS = 200;
const KILLS = 12;

/** `node counter.mjs <root> <increments>` prints a line for each increment that the storage acknowledged. */
const COUNTER_PROGRAM = `
import { writeSync } from 'node:fs';
import { FileStorage } from ${JSON.stringify(BUILT.href)};

const storage = new FileStorage(process.argv[2]);
for (let done = 0; done < Number(process.argv[3]); ) {
  const { version, body } = await storage.get('${COUNTER}');
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk);
  if (await storage.replaceIfUnchanged('${COUNTER}', version, Buffer.from(String(Number(text) + 1)))) {
    writeSync(1, 'incremented\\n');
    done++;
  }
}
`;

/** `node put.mjs <root>` puts half an object, prints a line, and waits to be killed. */
const PUT_PROGRAM = `
import { writeSync } from 'node:fs';
import { FileStorage } from ${JSON.stringify(BUILT.href)};

async function* body() {
  yield Buffer.alloc(1_000_000, 'new');
  writeSync(1, 'half\\n');
  setInterval(() => {}, 60_000);
  await new Promise(() => {});
}
await new FileStorage(process.argv[2]).put('k', body());
`;

interface Child {
  /** Resolves at the end with the number of lines that the child printed, if it ended well or by our signal. */
  readonly lines: Promise<number>;
}

let scratch: string;
let root: string;
let storage: FileStorage;
const running = new Set<ChildProcessByStdio<null, Readable, null>>();

beforeEach(async () => {
  expect(existsSync(BUILT), `${fileURLToPath(BUILT)} is missing: run 'npm run build' first`).toBe(true);
  scratch = await mkdtemp(join(tmpdir(), 'dsp-crash-'));
  root = join(scratch, 'root');
  storage = new FileStorage(root);
  await writeFile(join(scratch, 'counter.mjs'), COUNTER_PROGRAM);
  await writeFile(join(scratch, 'put.mjs'), PUT_PROGRAM);
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(scratch, { recursive: true });
});

/** Runs a program to its end, or kills it with signal 9 once it has printed `killAfterLines`. */
function run(program: string, args: readonly string[], killAfterLines = Infinity): Child {
  const child = spawn(process.execPath, [join(scratch, program), root, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let count = 0;
  const lines = createInterface({ input: child.stdout }).on('line', () => {
    if (++count === killAfterLines) child.kill('SIGKILL');
  });
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return {
    lines: ended.then(([[code, signal]]) => {
      running.delete(child);
      expect(signal === 'SIGKILL' ? killAfterLines <= count : code === 0).toBe(true);
      return count;
    }),
  };
}

it('counts every increment of four processes', async () => {
  await storage.put(COUNTER, Buffer.from('0'));
  const children = Array.from({ length: CHILDREN }, () => run('counter.mjs', [String(INCREMENTS)]));
  const counts = await Promise.all(children.map((child) => child.lines));
  expect(counts).toEqual(counts.map(() => INCREMENTS));
  expect((await readObject(storage, COUNTER)).toString()).toBe(String(CHILDREN * INCREMENTS));
});

it('loses no acknowledged increment when a process is killed again and again', async () => {
  await storage.put(COUNTER, Buffer.from('0'));
  const steady = Array.from({ length: CHILDREN - 1 }, () => run('counter.mjs', [String(INCREMENTS)]));
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    acknowledged += await run('counter.mjs', ['1000000'], 1 + kill).lines;
  }
  for (const child of steady) acknowledged += await child.lines;
  const counted = Number((await readObject(storage, COUNTER)).toString());
  // A child may die between the replacement and the line that it prints.
  expect(counted).toBeGreaterThanOrEqual(acknowledged);
  expect(counted).toBeLessThanOrEqual(acknowledged + KILLS);
});

it('keeps the old object when a process is killed in the middle of a put', async () => {
  await storage.put('k', Buffer.from('old'));
  await run('put.mjs', [], 1).lines;
  expect((await readObject(storage, 'k')).toString()).toBe('old');
  const keys: string[] = [];
  for await (const key of storage.list()) keys.push(key);
  expect(keys).toEqual(['k']);
});
