import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { BatchInfix } from '../../common/domain/batch-object.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, type Interval } from '../../common/domain/interval.ts';
import { encodeAggregateTask, encodeIntakeTask } from '../../common/domain/task.ts';
import { aggregateTraceId } from '../../common/domain/trace-id.ts';
import { QueueUnavailable, StorageUnavailable } from '../../common/errors.ts';
import type { Enqueuer } from '../../common/ports/queue.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { runProgram } from '../../common/runtime/program.ts';
import type { PublisherPorts } from '../../workflow-manager/aggregation-context.ts';
import { publishCommand } from '../../workflow-manager/command.ts';
import type { RunSettings } from '../../workflow-manager/run.ts';
import type { Run } from '../../workflow-manager/schedule.ts';
import { memoryLogger, type MemoryLog } from './memory-log.ts';

/** The publisher as it is installed; `npm test` builds it first. */
export const WORKFLOW_MANAGER = fileURLToPath(new URL('../../dist/workflow-manager/main.js', import.meta.url));

/** When all runs take place. By the default settings the window is from 12:00 to 15:00, and intake goes from 15:00 on. */
export const NOW = new Date('2024-11-20T16:00:00Z');
export const WINDOW = windowOf('2024-11-20T12:00Z', '2024-11-20T15:00Z');
/** A time within the window, and one that only intake looks at. */
export const IN_WINDOW = '2024-11-20T13:30Z';
export const IN_INTAKE = '2024-11-20T15:30Z';

export const SETTINGS: RunSettings = {
  server: 1,
  now: NOW,
  intakeMaxAgeMs: HOUR_MS,
  periodMs: 3 * HOUR_MS,
  graceMs: HOUR_MS,
  lookback: 1,
  override: undefined,
  requireOwnValidation: true,
  maxEnqueueWorkers: 100,
  aggregationsAtOnce: 1,
  createTopics: false,
  reaping: { minAgeMs: HOUR_MS, stuckAgeMs: DAY_MS },
  requests: () => new Map(),
};

export function windowOf(begin: string, end: string): Interval {
  return { begin: new Date(begin), end: new Date(end) };
}

/** The `n`-th batch of a time; ids sort as their numbers do. */
export function batchAt(time: string | Date, n = 1): BatchId {
  return { id: `${n.toString(16).padStart(8, '0')}-5c1a-4f0b-9d3e-2f6f3f7c1f0e`, time: new Date(time) };
}

/** The names of a batch's header, packets and signature. */
export function objectsOf(aggregationId: string, { id, time }: BatchId, infix: BatchInfix): [string, string, string] {
  const header = `${aggregationId}/${formatBatchTime(time)}/${id}.${infix}`;
  return [header, `${header}.avro`, `${header}.sig`];
}

/** The message of a window's task. */
export function aggregateMessage(aggregationId: string, window: Interval, batches: readonly BatchId[]): string {
  const traceId = aggregateTraceId(aggregationId, window);
  return encodeAggregateTask({ traceId, aggregationId, window, batches });
}

export async function listed(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of storage.list({ prefix })) keys.push(key);
  return keys;
}

export async function putAll(storage: Storage, keys: readonly string[], content = ''): Promise<void> {
  for (const key of keys) await storage.put(key, Buffer.from(content));
}

/** A topic that keeps what is published in order. */
export class MemoryTopic implements Enqueuer {
  readonly url: string;
  readonly bodies: string[] = [];

  constructor(name: string) {
    this.url = `memory://${name}`;
  }

  async publish(body: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.bodies.push(body);
  }

  async check(): Promise<void> {}

  async create(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Everything that a publisher works on, in memory; to a run it is its `PublisherPorts`. */
export class World {
  readonly ingestion: Storage = new MemoryStorage('ingestion');
  readonly ownValidation: Storage = new MemoryStorage('own-validation');
  readonly peerValidation: Storage = new MemoryStorage('peer-validation');
  readonly intakeTasks = new MemoryTopic('intake-tasks');
  readonly aggregateTasks = new MemoryTopic('aggregate-tasks');

  /** Puts a batch there that the facilitator can take in. */
  async ingest(aggregationId: string, batch: BatchId): Promise<void> {
    await putAll(this.ingestion, objectsOf(aggregationId, batch, 'batch'));
  }

  /** Puts the validations of both servers there. */
  async validate(aggregationId: string, batch: BatchId): Promise<void> {
    await this.validateByPeer(aggregationId, batch);
    await putAll(this.ownValidation, objectsOf(aggregationId, batch, 'validity_1'));
  }

  async validateByPeer(aggregationId: string, batch: BatchId): Promise<void> {
    await putAll(this.peerValidation, objectsOf(aggregationId, batch, 'validity_0'));
  }

  /** The ports, all of whose calls go through `around`. */
  through(around: Around): PublisherPorts {
    return {
      ingestion: interceptedStorage(this.ingestion, around),
      ownValidation: interceptedStorage(this.ownValidation, around),
      peerValidation: interceptedStorage(this.peerValidation, around),
      intakeTasks: interceptedTopic(this.intakeTasks, around),
      aggregateTasks: interceptedTopic(this.aggregateTasks, around),
    };
  }

  /** Puts a batch there that can be summed. */
  async complete(aggregationId: string, batch: BatchId): Promise<void> {
    await this.ingest(aggregationId, batch);
    await this.validate(aggregationId, batch);
  }
}

/** The message of an intake task, as the publisher writes it. */
export function intakeMessage(aggregationId: string, n = 1, time = IN_INTAKE): string {
  const batch = batchAt(time, n);
  return encodeIntakeTask({ traceId: batch.id, aggregationId, batch });
}

let runs = 0;

/** A run of its own id, and its log. Its clock stands still at the time of its start unless it is given. */
export function newRun(changes: Partial<Run> = {}): Run & { readonly lines: MemoryLog['lines'] } {
  const { log, lines } = memoryLogger();
  return { runId: `run-${++runs}`, leaseDurationMs: MINUTE_MS, clock: () => NOW, log, lines, ...changes };
}

/** One call of a storage or topic; `key` is that of the object, the prefix of a listing or the body of a message. */
export interface PortCall {
  readonly port: string;
  readonly method: 'list' | 'get' | 'put' | 'createIfAbsent' | 'replaceIfUnchanged' | 'delete' | 'publish';
  readonly key: string;
}

/** Does a call, instead of it or around it. */
export type Around = <T>(call: PortCall, proceed: () => Promise<T>) => Promise<T>;

/** Fails the calls of a method on a port, given by the end of its URL, whose key contains a text. */
export function failing(method: PortCall['method'], port: string, text: string): Around {
  return async (call, proceed) => {
    if (call.method === method && call.port.endsWith(port) && call.key.includes(text)) {
      throw method === 'publish' ? new QueueUnavailable('the queue failed') : new StorageUnavailable('storage failed');
    }
    return proceed();
  };
}

/** `base`, all of whose calls go through `around`; a listing does once, before its first key. */
export function interceptedStorage(base: Storage, around: Around): Storage {
  const on = (method: PortCall['method'], key: string): PortCall => ({ port: base.url, method, key });
  return {
    url: base.url,
    check: (access, signal) => base.check(access, signal),
    list: async function* (options) {
      const { startAt = '', prefix = startAt } = options ?? {};
      await around(on('list', prefix), async () => {});
      yield* base.list(options);
    },
    listFolder: async function* (options) {
      await around(on('list', options?.prefix ?? ''), async () => {});
      yield* base.listFolder(options);
    },
    get: (key, options) => around(on('get', key), () => base.get(key, options)),
    put: (key, body, options) => around(on('put', key), () => base.put(key, body, options)),
    createIfAbsent: (key, body, options) =>
      around(on('createIfAbsent', key), () => base.createIfAbsent(key, body, options)),
    replaceIfUnchanged: (key, version, body, options) =>
      around(on('replaceIfUnchanged', key), () => base.replaceIfUnchanged(key, version, body, options)),
    delete: (key, options) => around(on('delete', key), () => base.delete(key, options)),
  };
}

export function interceptedTopic(base: Enqueuer, around: Around): Enqueuer {
  return {
    url: base.url,
    publish: (body, signal) =>
      around({ port: base.url, method: 'publish', key: body }, () => base.publish(body, signal)),
    check: (signal) => base.check(signal),
    create: (signal) => base.create(signal),
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
  };
}

/** What a command line came to. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command line of the publisher in this process at the time `NOW`, with nothing of its environment.
 * @param stdout for a test of what becomes of the output; without it the output is collected
 */
export async function runPublisherCommand(
  argv: readonly string[],
  env: Record<string, string> = {},
  stdout?: Writable,
): Promise<Ran> {
  const [output, stderr] = [collector(), collector()];
  const status = await runProgram(
    { name: 'workflow-manager', version: '0.0.0', envPrefix: 'WORKFLOW_MANAGER', only: publishCommand },
    {
      argv,
      env,
      stdout: stdout ?? output.stream,
      stderr: stderr.stream,
      stderrIsTty: false,
      clock: () => NOW,
      randomBytes,
      readFile: (path) => readFile(path, 'utf8'),
      signal: new AbortController().signal,
    },
  );
  return { status, stdout: output.text(), stderr: stderr.text() };
}

function collector(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

/** The directories of a publisher. */
export type Places = Readonly<
  Record<'ingestion' | 'ownValidation' | 'peerValidation' | 'intakeTasks' | 'aggregateTasks', string>
>;

export function placesIn(root: string): Places {
  return {
    ingestion: join(root, 'ingestion'),
    ownValidation: join(root, 'own-validation'),
    peerValidation: join(root, 'peer-validation'),
    intakeTasks: join(root, 'intake-tasks'),
    aggregateTasks: join(root, 'aggregate-tasks'),
  };
}

/** Options of a run of server 1 at `NOW` over these places, without dashes. */
export function publisherOptions(root: string): Readonly<Record<string, string>> {
  const { ingestion, ownValidation, peerValidation, intakeTasks, aggregateTasks } = placesIn(root);
  return {
    'is-first': 'false',
    'ingestor-input': ingestion,
    'own-validation-input': ownValidation,
    'peer-validation-input': peerValidation,
    'task-queue-kind': 'local',
    'intake-tasks-topic': intakeTasks,
    'aggregate-tasks-topic': aggregateTasks,
    'as-of': NOW.toISOString(),
  };
}

/** The arguments of these options; `undefined` leaves one out. */
export function argumentsOf(options: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

/** Objects as other programs write them: empty files below `directory`. */
export function writeObjects(directory: string, keys: readonly string[]): void {
  mkdirSync(directory, { recursive: true });
  for (const key of keys) {
    mkdirSync(dirname(join(directory, key)), { recursive: true });
    writeFileSync(join(directory, key), '');
  }
}

/** Where the local queue keeps what is published. */
export const readyIn = (topic: string): string => join(topic, 'ready');

/** The messages in a local queue, in the order of publication. */
export function messagesIn(topic: string): string[] {
  try {
    const files = readdirSync(readyIn(topic)).sort();
    return files.map((file) => readFileSync(join(readyIn(topic), file), 'utf8'));
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return [];
    throw err;
  }
}
