import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cannotRun } from '../support/skip.ts';

/** A stand-in for a cloud service, listening on 127.0.0.1. */
export interface Service extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT`, or `https` where it speaks TLS. */
  readonly url: string;
  /** Its scratch directory, which goes with it. */
  readonly directory: string;
  readonly pid: number;
}

export interface ServiceProgram {
  /** For messages: `fake-gcs-server`. */
  readonly name: string;
  readonly command: string;
  readonly args: (port: number, directory: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it answers; rejects or returns false until then. */
  readonly isReady: (url: string) => Promise<boolean>;
  readonly protocol?: 'http' | 'https';
  /** Where its scratch directory is made, e.g. on a tmpfs. Default: the system's temporary directory. */
  readonly scratch?: string;
}

/** Where `test/services/install.sh` puts programs, unless `DSP_TEST_TOOLS` names another place. */
function toolsDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(process.env['DSP_TEST_TOOLS'] ?? join(cache, 'data-share-processor', 'tools'), 'bin');
}

/** The program that `test/services/install.sh` has installed, `undefined` if it has not. */
export function installedTool(name: string): string | undefined {
  const path = join(toolsDirectory(), name);
  return existsSync(path) ? path : undefined;
}

/**
 * For `skipIf`: whether the stand-ins are missing, of which one line then tells. Under `CI=true` nothing is skipped:
 * tests without their stand-ins fail.
 */
export function withoutTools(what: string, ...names: readonly string[]): boolean {
  const missing = names.filter((name) => installedTool(name) === undefined);
  if (process.env['CI'] === 'true') return false;
  return cannotRun(missing.length === 0, `${what}: needs ${missing.join(', ')} (test/services/install.sh)`);
}

/** The path of an installed tool. */
export function tool(name: string): string {
  const path = installedTool(name);
  if (path === undefined) throw new Error(`${name} is not installed: run test/services/install.sh`);
  return path;
}

/** A port of 127.0.0.1 that nobody listens on; somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const START_LIMIT_MS = 60_000;
const POLL_MS = 20;

/** Starts a program and waits until it answers. Disposing of it ends the process and removes its directory. */
export async function startService(program: ServiceProgram): Promise<Service> {
  const directory = await mkdtemp(join(program.scratch ?? tmpdir(), `dsp-${program.name}-`));
  const port = await freePort();
  const url = `${program.protocol ?? 'http'}://127.0.0.1:${port}`;
  const logFile = join(directory, 'service.log');
  const log = openSync(logFile, 'w');
  const child = spawn(program.command, program.args(port, directory), {
    cwd: directory,
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'], HOME: directory, ...program.env },
  });
  let failure: Error | undefined;
  child.on('error', (err) => (failure = err));
  // A worker of vitest that ends early must not leave it behind.
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const dispose = async (): Promise<void> => {
    process.off('exit', end);
    await ended(child);
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await program.isReady(url).catch(() => false))) {
    if (failure || child.exitCode !== null || Date.now() > deadline) {
      const output = await readFile(logFile, 'utf8');
      await dispose();
      throw new Error(`${program.name} did not start: ${output.slice(-2000)}`, { cause: failure });
    }
    await delay(POLL_MS);
  }
  return { port, url, directory, pid: child.pid!, [Symbol.asyncDispose]: dispose };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
