import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Enqueuer } from '../../common/ports/queue.ts';
import { violations } from '../support/architecture.ts';
import { REPOSITORY, readText } from '../support/repository.ts';
import { applyDiff, filesOf } from './document-files.ts';

const DOCUMENT = 'docs/adding-a-backend.md';
const BACKEND = 'common/backends/queue/http.ts';
const CONTRACT = 'test/contract/http-enqueuer.test.ts';

/** What the example and its test import, directly or not. */
const SOURCES = ['common', 'test/contract', 'test/support', 'package.json', '.oxlintrc.json'];
const TIME_LIMIT_MS = 60_000;

const parts = filesOf(readText(DOCUMENT));
let copy: string;

/** Runs a program of the development dependencies in the copy; its output, after a failure too. */
async function run(program: string, ...args: string[]): Promise<string> {
  const command = join(REPOSITORY, 'node_modules', '.bin', program);
  const env = { PATH: process.env['PATH'], NO_COLOR: '1' };
  return promisify(execFile)(command, args, { cwd: copy, env, timeout: TIME_LIMIT_MS }).then(
    ({ stdout }) => stdout,
    // What rejects here has the output.
    ({ stdout, stderr }: { stdout: string; stderr: string }) => `failed: ${stdout}${stderr}`,
  );
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'dsp-adding-'));
  for (const path of SOURCES) {
    const isSource = (from: string): boolean => !from.endsWith('.tsbuildinfo');
    cpSync(join(REPOSITORY, path), join(copy, path), { recursive: true, filter: isSource });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
  for (const { path, language, content } of parts) {
    const target = join(copy, path);
    if (language === 'diff') {
      writeFileSync(target, applyDiff(readFileSync(target, 'utf8'), content));
    } else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
    }
  }
  // The repository's, as a single project of what is there.
  const { compilerOptions } = JSON.parse(readText('tsconfig.json')) as { compilerOptions: object };
  const project = { compilerOptions: { ...compilerOptions, composite: false }, include: ['common/**/*.ts', CONTRACT] };
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(project));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe(DOCUMENT, () => {
  it('has a backend in one file, one registration, and one test', () => {
    expect(parts.map(({ path, language }) => [path, language])).toEqual([
      [BACKEND, 'ts'],
      ['common/backends/queue/open.ts', 'diff'],
      [CONTRACT, 'ts'],
    ]);
    expect(parts.filter(({ language, path }) => language === 'ts' && existsSync(REPOSITORY + path))).toEqual([]);
  });

  it('builds', { timeout: TIME_LIMIT_MS }, async () => {
    expect(await run('tsc', '-p', '.')).toBe('');
  });

  it('keeps to the house rules', { timeout: TIME_LIMIT_MS }, async () => {
    expect(await run('oxlint', '--type-aware', '--deny-warnings', BACKEND, CONTRACT)).toContain(
      'Found 0 warnings and 0 errors',
    );
    expect(violations({ path: BACKEND, source: readFileSync(join(copy, BACKEND), 'utf8') })).toEqual([]);
  });

  it('passes the contract', { timeout: TIME_LIMIT_MS }, async () => {
    const output = await run('vitest', 'run', CONTRACT);
    expect(output).not.toMatch(/^failed/);
    expect(output).toMatch(/Tests +\d{2,} passed \(\d+\)/);
  });
});

describe('the example', () => {
  interface Opened {
    readonly openEnqueuer: (kind: string, topic: string, settings: { clock: () => Date }) => Promise<Enqueuer>;
  }
  let openEnqueuer: Opened['openEnqueuer'];
  beforeAll(async () => {
    const built = pathToFileURL(join(copy, 'dist/common/backends/queue/open.js')).href;
    // As the test above has built it.
    ({ openEnqueuer } = (await import(built)) as Opened);
  });

  const open = (topic: string): Promise<Enqueuer> => openEnqueuer('http', topic, { clock: () => new Date(0) });

  /** A topic that answers with `status`, or not at all, and what it has got. */
  async function topic(status?: number): Promise<{ url: string; got: string[] } & AsyncDisposable> {
    const got: string[] = [];
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      got.push(`${request.method} ${request.url} ${await text(request)}`);
      if (status === undefined) request.socket.destroy();
      else response.writeHead(status).end();
    };
    const server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // It listens on a port by now.
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}/tasks`,
      got,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  it('is opened by its kind, and publishes', async () => {
    await using service = await topic(202);
    await using enqueuer = await open(`${service.url}?token=hidden`);
    expect(enqueuer.url).toBe(service.url);
    await enqueuer.check();
    await enqueuer.publish('{"trace-id":"x"}');
    expect(service.got).toEqual(['HEAD /tasks?token=hidden ', 'POST /tasks?token=hidden {"trace-id":"x"}']);
  });

  it.each([
    [401, 'PermissionDenied'],
    [403, 'PermissionDenied'],
    [404, 'ConfigurationInvalid'],
    [302, 'QueueUnavailable'],
    [500, 'QueueUnavailable'],
    [undefined, 'QueueUnavailable'],
  ])('names what an answer of %s means', async (status, name) => {
    await using service = await topic(status);
    await using enqueuer = await open(service.url);
    await expect(enqueuer.publish('task')).rejects.toMatchObject({ name });
    await expect(enqueuer.check()).rejects.toMatchObject({ name });
  });

  it.each(['', 'tasks', 'ftp://host/tasks', 'https://user:hidden@host/tasks'])('refuses the topic %j', async (name) => {
    const opening = open(name);
    await expect(opening).rejects.toThrow(expect.objectContaining({ name: 'UsageError' }));
    await expect(opening).rejects.not.toThrow('hidden');
  });
});

describe('the reader of documents', () => {
  it('finds the blocks that name a file', () => {
    const markdown = 'a\n\n```ts a/b.ts\nx;\n\ny;\n```\n\n```ts\nno;\n```\n\n```diff c.ts\n+z\n```\n';
    expect(filesOf(markdown)).toEqual([
      { language: 'ts', path: 'a/b.ts', content: 'x;\n\ny;\n' },
      { language: 'diff', path: 'c.ts', content: '+z\n' },
    ]);
  });

  it('changes each part of a diff where it is', () => {
    expect(applyDiff('a\nb\nc\nd\n', ' a\n+x\n b\n@@\n-d\n+y\n+z\n')).toBe('a\nx\nb\nc\ny\nz\n');
  });

  it.each([
    ['is not there', '-e\n+x\n'],
    ['is there twice', '-a\n+x\n'],
  ])('refuses a part that %s', (_, diff) => {
    expect(() => applyDiff('a\nb\na\n', diff)).toThrow('does not have once');
  });
});
