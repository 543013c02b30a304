import { UsageError } from '../../common/errors.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import { duration, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { TaskSetup } from '../worker/run-task.ts';
import { commonCredentialOptions, credentialOptions, credentialsOf } from '../storage-options.ts';
import { openAs, optionalStorage } from '../wire.ts';

/** Timers count milliseconds in 31 bits: almost 25 days. */
const MAX_TIMER_MS = 24 * 24 * HOUR_MS;
const WORKER_ID_BYTES = 6;

/** What every execution of a task needs, with a queue or without. */
export const taskOptions = {
  'task-timeout': duration(1000, {
    describe: 'how long a task may take before it is aborted and given back',
    default: 3 * HOUR_MS,
    example: '3h',
  }),
  results: optionalStorage({
    describe:
      'where the result of each task is kept, besides the log, opened as --own-identity; a task without its result does not count as done',
  }),
  ...credentialOptions('own'),
  ...commonCredentialOptions,
  'worker-name': text({
    describe: 'name of this worker in results and logs; by default one is made up',
    example: 'intake-batch-worker-7d9c5',
  }),
} as const;

/** @throws UsageError */
export function checkTaskOptions(args: Args<typeof taskOptions>): void {
  refuseLongTimer('task-timeout', args['task-timeout'], '3h');
}

/** @throws UsageError if a timer cannot run that long */
export function refuseLongTimer(option: string, ms: number, example: string): void {
  if (ms <= MAX_TIMER_MS) return;
  throw new UsageError(`--${option} is longer than 24 days (576h); example: --${option} ${example}`);
}

/** @throws ConfigurationInvalid if there is no such storage as `--results`, PermissionDenied if we may not write there */
export async function openTaskSetup(
  args: Args<typeof taskOptions>,
  { clock, log, randomBytes, signal }: CommandContext,
): Promise<TaskSetup> {
  const results =
    args.results &&
    openAs(args.results, credentialsOf(args, 'own'), { location: '--results', identity: '--own-identity' });
  await results?.check('write', signal);
  const { resultStorage } = await import('../worker/result-storage.ts');
  return {
    worker: args['worker-name'] ?? Buffer.from(randomBytes(WORKER_ID_BYTES)).toString('hex'),
    taskTimeoutMs: args['task-timeout'],
    results: results && resultStorage(results),
    clock,
    log,
  };
}
