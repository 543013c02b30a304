import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { decodeAggregateMessage, type AggregateTask, type AggregateTaskReference } from '../../common/domain/task.ts';
import { command } from '../../common/runtime/command.ts';
import { aggregate, type AggregateSetup } from '../aggregate.ts';
import { readClaimedTask } from '../claimed-task.ts';
import { requireSigningKeyIdentifier } from '../options.ts';
import type { TaskKind } from '../worker/task-kind.ts';
import { aggregateOptions, aggregateSetupOf } from './aggregate-setup.ts';
import { checkStorages, checkWorkerOptions, openWorker, workerOptions, type OpenWorker } from './worker-setup.ts';

/** Tasks to sum one window, which list its batches or refer to the claim that does. */
export function aggregateTasks(setup: AggregateSetup): TaskKind<AggregateTask | AggregateTaskReference> {
  return {
    decode: decodeAggregateMessage,
    describe: ({ aggregationId, window }) => ({
      aggregation_id: aggregationId,
      window_begin: formatBatchTime(window.begin),
      window_end: formatBatchTime(window.end),
    }),
    handle: async (task, { signal, log }) => {
      const whole = 'batchesObject' in task ? await readClaimedTask(task, setup.ownInput, signal) : task;
      await aggregate(whole, { ...setup, log }, signal);
    },
  };
}

/** `facilitator aggregate-worker`: sums windows as a queue says. */
export const aggregateWorkerCommand = command({
  name: 'aggregate-worker',
  describe: 'sum the windows that a task queue names and publish their sum parts, until told to end',
  options: { ...workerOptions, ...aggregateOptions },
  check: (args) => {
    requireSigningKeyIdentifier(args);
    checkWorkerOptions(args);
  },
  prepare: async (args, context): Promise<OpenWorker> => {
    const setup = aggregateSetupOf(args, context.log);
    const { ingestorInput, peerInput, ownInput, portalOutput } = setup;
    await checkStorages({ inputs: [ingestorInput, peerInput, ownInput], outputs: [portalOutput] }, context.log);
    return openWorker(args, aggregateTasks(setup), context);
  },
  run: (_args, { signal }, work) => work(signal),
});
