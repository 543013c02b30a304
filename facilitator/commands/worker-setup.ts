import { ConfigurationInvalid, errorFields, UsageError } from '../../common/errors.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { duration, integer, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { Task, TaskKind } from '../worker/task-kind.ts';
import { runWorker } from '../worker/worker.ts';
import { openTasks, taskQueueKind } from '../wire.ts';

/** As of Amazon SQS. */
const MAX_VISIBILITY_TIMEOUT_MS = 12 * HOUR_MS;
/** Timers count milliseconds in 31 bits: almost 25 days. */
const MAX_LIFETIME_SECONDS = 2_147_483;

/** What every worker needs besides what its tasks do. */
export const workerOptions = {
  'task-queue-kind': taskQueueKind({ describe: 'where tasks come from', legacyEnv: 'TASK_QUEUE_KIND' }),
  'task-queue-name': text({
    describe: 'queue to take tasks from; for local, a directory',
    example: '/var/lib/dsp/queues/intake',
    required: true,
    legacyEnv: 'TASK_QUEUE_NAME',
  }),
  'rejected-topic': text({
    describe: 'topic for tasks that no repetition can help; without it they are given back',
    example: '/var/lib/dsp/queues/rejected',
    legacyEnv: 'REJECTED_TOPIC',
  }),
  'visibility-timeout': duration(1000, {
    describe: 'how long a task is held between two signs of life, for local; at most 12h',
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

/** Does the tasks of the queue until told to stop; to be called once. */
export type OpenWorker = (stop: AbortSignal) => Promise<void>;

/** @throws UsageError, ConfigurationInvalid, PermissionDenied, QueueUnavailable */
export async function openWorker<T extends Task>(
  args: Args<typeof workerOptions>,
  kind: TaskKind<T>,
  { clock, log, signal }: CommandContext,
): Promise<OpenWorker> {
  const rejectedTopic = args['rejected-topic'];
  const queue = openTasks(args['task-queue-kind'], args['task-queue-name'], {
    clock,
    rejectedTopic,
    ackDeadlineMs: args['visibility-timeout'],
  });
  await queue.check(signal);
  if (rejectedTopic === undefined) {
    log.info('no --rejected-topic: rejected tasks are given back, to become dead letters after some deliveries');
  }
  const seconds = args['worker-maximum-lifetime'];
  const maximumLifetimeMs = seconds === undefined ? undefined : seconds * 1000;
  return async (stop) => {
    try {
      await runWorker(kind, { queue, maximumLifetimeMs, clock, log }, stop);
    } finally {
      await queue[Symbol.asyncDispose]();
    }
  };
}
