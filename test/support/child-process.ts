import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** The programs as they are installed; `npm test` builds them first. */
export const FACILITATOR = `${DIST}facilitator/main.js`;
export const NPM_START = `${DIST}deploy/local/main.js`;

/** What became of a process. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to file descriptor 3. */
  readonly third: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** Resolves once the process is gone and all its output is read. */
  readonly ended: Promise<Ended>;
}

export interface ProcessOptions {
  /** For node itself, before the program. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The super-user starts it as `nobody`. */
  readonly asOrdinaryUser?: boolean;
}

const NOBODY = 65534;
/** Below vitest's, so that no process survives its test. */
const TIME_LIMIT_MS = 25_000;

/** Starts a program of ours with nothing of our environment but PATH. */
export function start(program: string, args: readonly string[], options: ProcessOptions = {}): Started {
  const { node = [], env = {}, asOrdinaryUser = false } = options;
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe'];
  const child = spawn(process.execPath, [...node, program, ...args], {
    stdio,
    env: { PATH: process.env['PATH'], ...env },
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
    ...(asOrdinaryUser && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const texts = [1, 2, 3].map((fd) => {
    const chunks: Buffer[] = [];
    child.stdio[fd]?.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const [stdout = '', stderr = '', third = ''] = texts.map((text) => text());
      resolve({ status, signal, stdout, stderr, third });
    });
  });
  return { child, ended };
}

export function run(program: string, args: readonly string[], options?: ProcessOptions): Promise<Ended> {
  return start(program, args, options).ended;
}

/** Whether everybody may read the file, and look into all directories above it. */
export function isOpenToAll(path: string): boolean {
  for (let place = path; place !== dirname(place); place = dirname(place)) {
    const wanted = place === path ? 0o4 : 0o5;
    if ((statSync(place).mode & wanted) !== wanted) return false;
  }
  return true;
}
