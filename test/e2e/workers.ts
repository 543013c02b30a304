import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { WorkerKind } from '../../deploy/local/data-share-processor.ts';
import type { Invocation } from '../../deploy/local/process.ts';
import type { World } from './world.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const KINDS = ['intake-batch-worker', 'aggregate-worker'] as const satisfies readonly WorkerKind[];
const WORKERS_OF_A_KIND = 2;

export interface ProcessSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly killedBy: NodeJS.Signals | null }>;
}

const alive = new Set<ChildProcess>();
// A test that fails early leaves nobody behind.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program of ours as it is installed; each line that it writes goes to the log, and to `onLine`. */
function start(
  { program, args, secrets }: Invocation,
  settings: ProcessSettings,
  onLine?: (line: string) => void,
): Running {
  const child = spawn(process.execPath, [`${DIST}${program}/main.js`, ...args], {
    env: { PATH: process.env['PATH'], ...settings.env, ...secrets },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      appendFileSync(settings.logFile, `${line}\n`);
      onLine?.(line);
    });
  }
  alive.add(child);
  const exited = new Promise<Awaited<Running['exited']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      alive.delete(child);
      resolve({ code, killedBy });
    });
  });
  return { child, exited };
}

export async function runToSuccess(invocation: Invocation, settings: ProcessSettings): Promise<void> {
  const lines: string[] = [];
  const { code, killedBy } = await start(invocation, settings, (line) => lines.push(line)).exited;
  if (code !== 0)
    throw new Error(`${invocation.program} ended with ${killedBy ?? code}: ${lines.slice(-3).join('\n')}`);
}

/** A place for one process after another: what is killed is started again, as Kubernetes would. */
export interface Seat {
  /** `pha intake-batch-worker` */
  readonly name: string;
  /** What the AWS SDK adds to its User-Agent. */
  readonly appId: string;
  current: ChildProcess;
}

/** Two workers of each kind for each server. */
export class Workers implements AsyncDisposable {
  /** How often tasks have ended how, by the workers' own words: `intake-batch ack`. */
  readonly outcomes = new Map<string, number>();
  readonly seats: readonly Seat[];
  readonly #failures: Error[] = [];
  readonly #seated: readonly Promise<void>[];
  #isOpen = true;

  constructor(world: World, ackDeadlineMs: number, settings: ProcessSettings) {
    const seats = world.servers.flatMap((server) =>
      KINDS.flatMap((kind) =>
        Array.from({ length: WORKERS_OF_A_KIND }, (_, n) => {
          const appId = `${server.name}-${kind}-${n}`;
          const env = { ...settings.env, AWS_SDK_UA_APP_ID: appId };
          const invocation = world.worker(server, kind, ackDeadlineMs);
          const open = (): Running =>
            start(invocation, { ...settings, env }, (line) => this.#count(`${server.name} ${kind}`, line));
          const running = open();
          const seat: Seat = { name: `${server.name} ${kind}`, appId, current: running.child };
          return { seat, ended: this.#keep(seat, running, open) };
        }),
      ),
    );
    this.seats = seats.map(({ seat }) => seat);
    this.#seated = seats.map(({ ended }) => ended);
  }

  /** @throws Error if a worker has ended by itself */
  check(): void {
    const [failure] = this.#failures;
    if (failure) throw failure;
  }

  /** How many tasks ended so. */
  count(seat: string, outcome: string): number {
    return this.outcomes.get(`${seat} ${outcome}`) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    for (const { current } of this.seats) {
      // One that is stopped would never hear of it.
      current.kill('SIGCONT');
      current.kill('SIGTERM');
    }
    await Promise.all(this.#seated);
  }

  async #keep(seat: Seat, first: Running, open: () => Running): Promise<void> {
    for (let running = first; ; running = open()) {
      seat.current = running.child;
      const { code, killedBy } = await running.exited;
      if (!this.#isOpen) return;
      if (killedBy !== 'SIGKILL') {
        this.#failures.push(new Error(`${seat.name} ended with ${killedBy ?? code}`));
        return;
      }
    }
  }

  #count(seat: string, line: string): void {
    if (!line.includes('"task finished"')) return;
    const { outcome } = JSON.parse(line) as { outcome?: string };
    const key = `${seat} ${outcome}`;
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
  }
}
