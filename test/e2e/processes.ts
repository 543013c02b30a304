import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Invocation } from '../../deploy/local/process.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

export interface ProcessSettings {
  /** All of its environment but PATH and secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Whether it gets a channel to us, by which it learns of our death. */
  readonly hasChannel: boolean;
}

export interface Ending {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves once it is gone and all that it wrote has been read. */
  readonly ended: Promise<Ending>;
}

const alive = new Set<ChildProcess>();
// A test that fails early leaves nobody behind.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program of ours as it is installed; each line that it writes goes to the log, and to `onLine`. */
export function startProgram(
  { program, args, secrets }: Invocation,
  { env, logFile, hasChannel }: ProcessSettings,
  onLine: (line: string) => void = () => {},
): Running {
  return startNode([`${DIST}${program}/main.js`, ...args], { ...env, ...secrets }, hasChannel, (line) => {
    appendFileSync(logFile, `${line}\n`);
    onLine(line);
  });
}

/** Starts node with nothing of our environment but PATH. */
export function startNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  hasChannel: boolean,
  onLine: (line: string) => void,
): Running {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', hasChannel ? 'ipc' : 'ignore'],
  });
  alive.add(child);
  // Both were asked for.
  for (const stream of [child.stdout!, child.stderr!]) createInterface({ input: stream }).on('line', onLine);
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      alive.delete(child);
      resolve({ code, killedBy });
    });
  });
  return { child, ended };
}

/** Runs a program to its end, again and again up to `runs` times where it ends with 1. */
export async function runToSuccess(invocation: Invocation, settings: ProcessSettings, runs = 1): Promise<void> {
  for (let run = 1; ; run++) {
    const lines: string[] = [];
    const { code, killedBy } = await startProgram(invocation, settings, (line) => lines.push(line)).ended;
    if (code === 0) return;
    if (code !== 1 || run >= runs)
      throw new Error(`${invocation.program} ended with ${killedBy ?? code}: ${lines.slice(-3).join('\n')}`);
  }
}
