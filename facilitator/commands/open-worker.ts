import type { TaskQueue } from '../../common/ports/queue.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { prometheusMetrics } from '../operations/prometheus.ts';
import { startOperations } from '../operations/server.ts';
import { workerMetrics } from '../operations/worker-metrics.ts';
import { credentialsOf } from '../storage-options.ts';
import { openTasks } from '../wire.ts';
import type { Task, TaskKind } from '../worker/task-kind.ts';
import { runWorker } from '../worker/worker.ts';
import { openTaskSetup } from './task-setup.ts';
import type { workerOptions } from './worker-setup.ts';

/*
 * What workers run on. Commands load it when they are run, so that their options are known without it.
 */

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
  // Before keys, storages and the queue are asked, any of which may keep us waiting.
  log.info({ task_queue_kind: args['task-queue-kind'], task_queue_name: args['task-queue-name'] }, 'worker starting');
  const metrics = await prometheusMetrics();
  const { kind, setupNow } = await open(metrics);
  const queue = await queueOf(args, clock);
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
async function queueOf(args: Args<typeof workerOptions>, clock: () => Date): Promise<TaskQueue> {
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
