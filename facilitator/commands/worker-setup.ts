import { ConfigurationInvalid, errorFields, UsageError } from '../../common/errors.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { duration, integer, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import { operationsOptions } from '../operations/options.ts';
import { commonCredentialOptions, credentialOptions } from '../storage-options.ts';
import { taskQueueKind } from '../wire.ts';
import { checkTaskOptions, refuseLongTimer, taskOptions } from './task-setup.ts';

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
