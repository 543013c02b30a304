import { ConfigurationInvalid, errorFields, UsageError } from '../../common/errors.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import type { TaskQueue } from '../../common/ports/queue.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { duration, integer, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { operationsOptions } from '../operations/options.ts';
import { prometheusMetrics } from '../operations/prometheus.ts';
import { startOperations } from '../operations/server.ts';
import { workerMetrics } from '../operations/worker-metrics.ts';
import type { Task, TaskKind } from '../worker/task-kind.ts';
import { runWorker } from '../worker/worker.ts';
import { commonCredentialOptions, credentialOptions, credentialsOf } from '../storage-options.ts';
import { openTasks, taskQueueKind } from '../wire.ts';
import { checkTaskOptions, openTaskSetup, refuseLongTimer, taskOptions } from './task-setup.ts';

/** As of Amazon SQS. */
const MAX_VISIBILITY_TIMEOUT_MS = 12 * HOUR_MS;
/** Timers count milliseconds in 31 bits. */
const MAX_LIFETIME_SECONDS = 2_147_483;

/** What every worker needs besides what its tasks do. */
export const workerOptions = {
  'task-queue-kind': taskQueueKind({ describe: 'where tasks come from', legacyEnv: 'TASK_QUEUE_KIND' }),
  'task-queue-name': text({
    describe: 'queue to take tasks from: Pub/Sub subscription id, SQS URL, or for local a directory',
    example: '/var/lib/dsp/queues/intake',
    required: true,
    legacyEnv: 'TASK_QUEUE_NAME',
  }),
  'gcp-project-id': text({
    describe: 'project of subscription and topic; needed for kind gcp-pubsub unless their names are full',
    example: 'my-project',
    emptyIsUnset: true,
    legacyEnv: 'GCP_PROJECT_ID',
  }),
  'pubsub-api-endpoint': text({
    describe: 'another address of Pub/Sub, https://HOST or HOST:PORT; with http:// that of an emulator',
    example: 'https://pubsub.googleapis.com',
    emptyIsUnset: true,
    legacyEnv: 'PUBSUB_API_ENDPOINT',
  }),
  'pubsub-emulator-host': text({
    describe: 'Pub/Sub emulator to use instead of the service',
    example: '127.0.0.1:8085',
    legacyEnv: 'PUBSUB_EMULATOR_HOST',
    emptyIsUnset: true,
    hidden: true,
  }),
  'aws-sqs-region': text({
    describe: 'region of the queue, for kind aws-sqs; by default that in its URL',
    example: 'eu-west-1',
    emptyIsUnset: true,
    legacyEnv: 'AWS_SQS_REGION',
  }),
  ...credentialOptions('task-queue'),
  ...commonCredentialOptions,
  'rejected-topic': text({
    describe:
      'topic for tasks that no repetition can help: Pub/Sub id, SNS ARN, or for local a directory; without it they are given back',
    example: '/var/lib/dsp/queues/rejected',
    legacyEnv: 'REJECTED_TOPIC',
  }),
  'visibility-timeout': duration(1000, {
    describe: 'how long a task is held between two signs of life; at most 12h, at Pub/Sub 10m',
    default: 600_000,
    example: '10m',
  }),
  ...taskOptions,
  ...operationsOptions,
  'pool-size': integer(1, 64, { describe: 'how many tasks are done at once', default: 1, example: '4' }),
  'max-tasks-per-worker': integer(1, 1_000_000_000, {
    describe: 'tasks after which no further task is taken; by default no limit',
    example: '1000',
  }),
  'shutdown-grace': duration(0, {
    describe: 'how long the tasks in hand may take after SIGTERM or SIGINT before they are given back',
    default: 600_000,
    example: '10m',
  }),
  'worker-maximum-lifetime': integer(1, MAX_LIFETIME_SECONDS, {
    describe: 'seconds after which no further task is taken; by default no limit',
    example: '3600',
    legacyEnv: 'WORKER_MAXIMUM_LIFETIME',
  }),
} as const;

/** @throws UsageError */
export function checkWorkerOptions(args: Args<typeof workerOptions>): void {
  if (args['visibility-timeout'] > MAX_VISIBILITY_TIMEOUT_MS) {
    throw new UsageError('--visibility-timeout is longer than 12h; example: --visibility-timeout 10m');
  }
  checkTaskOptions(args);
  refuseLongTimer('shutdown-grace', args['shutdown-grace'], '10m');
}

/**
 * A worker may start before the first batch comes, when the storages that others write to are not there yet; that
 * is worth a warning, but not an end.
 * @throws ConfigurationInvalid for an output, PermissionDenied
 */
export async function checkStorages(
  storages: { readonly inputs: readonly (Storage | undefined)[]; readonly outputs: readonly (Storage | undefined)[] },
  log: Logger,
): Promise<void> {
  for (const input of storages.inputs) {
    try {
      await input?.check('read');
    } catch (err) {
      if (!(err instanceof ConfigurationInvalid)) throw err;
      log.warn(errorFields(err), 'input cannot be read so far');
    }
  }
  for (const output of storages.outputs) await output?.check('write');
}

/** Does the tasks of the queue until the process is told to stop; to be called once. */
export type OpenWorker = () => Promise<void>;

/** The handler of a kind of tasks. */
export interface OpenTasks<T extends Task> {
  readonly kind: TaskKind<T>;
  /** What a task that began now would be done with; fails as that would. */
  readonly setupNow: () => Promise<unknown>;
}

/**
 * @param open makes the handler of the tasks, which counts what it does
 * @throws UsageError, ConfigurationInvalid, KeyInvalid, PermissionDenied, QueueUnavailable
 */
export async function openWorker<T extends Task>(
  args: Args<typeof workerOptions>,
  open: (metrics: Metrics) => Promise<OpenTasks<T>>,
  context: CommandContext,
): Promise<OpenWorker> {
  const { clock, log, signal } = context;
  const metrics = await prometheusMetrics();
  const { kind, setupNow } = await open(metrics);
  const queue = queueOf(args, clock);
  await queue.check(signal);
  if (args['rejected-topic'] === undefined) {
    log.info('no --rejected-topic: rejected tasks are given back, to become dead letters after some deliveries');
  }
  const seconds = args['worker-maximum-lifetime'];
  const setup = {
    ...(await openTaskSetup(args, context)),
    queue,
    observer: workerMetrics(metrics),
    poolSize: args['pool-size'],
    maxTasks: args['max-tasks-per-worker'],
    maximumLifetimeMs: seconds === undefined ? undefined : seconds * 1000,
    shutdownGraceMs: args['shutdown-grace'],
  };
  let isPoolAlive = true;
  const operations = await startOperations({
    port: args['metrics-scrape-port'],
    metrics,
    isPoolAlive: () => isPoolAlive,
    readiness: { keys: async () => void (await setupNow()), queue: (limit) => queue.check(limit) },
    clock,
    log,
  });
  return async () => {
    try {
      await runWorker(kind, setup, { stop: signal, stopNow: context.stopNow() });
    } finally {
      isPoolAlive = false;
      await queue[Symbol.asyncDispose]();
      await operations[Symbol.asyncDispose]();
    }
  };
}

/** @throws UsageError, ConfigurationInvalid */
function queueOf(args: Args<typeof workerOptions>, clock: () => Date): TaskQueue {
  return openTasks(args['task-queue-kind'], args['task-queue-name'], {
    clock,
    rejectedTopic: args['rejected-topic'],
    ackDeadlineMs: args['visibility-timeout'],
    poolSize: args['pool-size'],
    gcpProjectId: args['gcp-project-id'],
    pubsubApiEndpoint: args['pubsub-api-endpoint'],
    pubsubEmulatorHost: args['pubsub-emulator-host'],
    awsSqsRegion: args['aws-sqs-region'],
    credentials: credentialsOf(args, 'task-queue'),
  });
}
