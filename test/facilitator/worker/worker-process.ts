import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LocalEnqueuer } from '../../../common/backends/queue/local-enqueuer.ts';
import { FACILITATOR } from '../../support/child-process.ts';
import {
  aggregateOptions,
  commandLine,
  intakeOptions,
  ORDINARY,
  without,
  type CommandOptions,
} from '../../support/command-options.ts';
import type { LogLine } from '../../support/log-lines.ts';
import { filesIn } from '../../support/temp-directory.ts';

export type WorkerCommand = 'intake-batch-worker' | 'aggregate-worker';

const TASK_OPTIONS = ['aggregation-id', 'batch-id', 'date', 'batch-time', 'aggregation-start', 'aggregation-end'];

/** A worker over the recorded batches; its queue is `tasks` in `root`, its rejected topic `rejected`. */
export function workerOptions(command: WorkerCommand, root: string): CommandOptions {
  const options = command === 'aggregate-worker' ? aggregateOptions(root) : intakeOptions(root);
  return {
    ...without(options, ...TASK_OPTIONS),
    'task-queue-kind': 'local',
    'task-queue-name': `${root}/tasks`,
    'rejected-topic': `${root}/rejected`,
    'metrics-scrape-port': '0',
  };
}

/** The good tasks of a worker: the recorded ones. */
export function goodTasks(command: WorkerCommand): Record<string, unknown>[] {
  const { aggregation_id, batches, aggregation_start, aggregation_end } = ORDINARY;
  const task = { 'trace-id': '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b', 'aggregation-id': aggregation_id };
  if (command === 'intake-batch-worker')
    return batches.map(({ id, time }) => ({ ...task, 'batch-id': id, date: time }));
  return [{ ...task, 'aggregation-start': aggregation_start, 'aggregation-end': aggregation_end, batches }];
}

/** The first of them. */
export function goodTask(command: WorkerCommand): Record<string, unknown> {
  // There is at least one.
  return goodTasks(command)[0]!;
}

/** Publishes to the worker's queue. */
export async function publish(root: string, bodies: readonly (string | Uint8Array)[]): Promise<void> {
  const topic = new LocalEnqueuer({ directory: `${root}/tasks`, clock: () => new Date('2026-11-21T10:00:00Z') });
  await Promise.all(bodies.map((body) => topic.publish(body)));
}

/** The bodies of the messages in a directory of a local queue, hexadecimal, sorted. */
export function bodiesIn(directory: string): string[] {
  return filesIn(directory)
    .map((name) => readFileSync(`${directory}/${name}`).toString('hex'))
    .sort();
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface FacilitatorProcess {
  /** The lines logged so far. */
  readonly lines: readonly LogLine[];
  /** Resolves once so many lines have all these fields. @throws Error if the process ends before */
  logged(fields: LogLine, count?: number): Promise<readonly LogLine[]>;
  /** Of what was started: the program, or what starts it. */
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Closes the channel to us, as our death would. */
  disconnect(): void;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  /** For node itself, before the program. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command line that starts the one that follows it. */
  readonly starter?: readonly string[];
  /** Whether to start it with a channel to us. */
  readonly channel?: boolean;
}

const running = new Set<FacilitatorProcess>();

/** Ends what a failed test left behind. */
export async function endAll(): Promise<void> {
  for (const started of running) started.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
}

/** Starts the facilitator with nothing of our environment but PATH. */
export function startFacilitator(
  command: string,
  options: CommandOptions,
  { node = [], env = {}, starter = [], channel = false }: StartOptions = {},
): FacilitatorProcess {
  const [executable = '', ...args] = [
    ...starter,
    process.execPath,
    ...node,
    FACILITATOR,
    ...commandLine(command, options),
  ];
  const child = spawn(executable, args, {
    stdio: ['ignore', 'ignore', 'pipe', channel ? 'ipc' : 'ignore'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const lines: LogLine[] = [];
  const onLine = new Set<() => void>();
  // It was asked for a pipe.
  const log = createInterface({ input: child.stderr! });
  log.on('line', (line) => {
    lines.push(line.startsWith('{') ? (JSON.parse(line) as LogLine) : { text: line });
    for (const look of onLine) look();
  });
  const logEnded = once(log, 'close');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    // Not `close`, which does not come once we have closed the channel.
    child.on('exit', (status, signal) => {
      running.delete(started);
      void logEnded.then(() => resolve({ status, signal }));
    });
  });
  const logged = (fields: LogLine, count = 1): Promise<readonly LogLine[]> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
        if (found.length < count) return;
        onLine.delete(look);
        resolve(found);
      };
      onLine.add(look);
      void ended.then(() => reject(new Error(`the process ended: ${JSON.stringify(lines.slice(-3))}`)));
      look();
    });
  const started: FacilitatorProcess = {
    lines,
    logged,
    // It was started.
    pid: child.pid!,
    kill: (signal) => void child.kill(signal),
    disconnect: () => child.disconnect(),
    ended,
  };
  running.add(started);
  return started;
}
