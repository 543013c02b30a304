import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { decodeAggregateMessage, type AggregateTask, type AggregateTaskReference } from '../../common/domain/task.ts';
import { command } from '../../common/runtime/command.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { AggregateSetup } from '../aggregate.ts';
import { readClaimedTask } from '../claimed-task.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { TaskKind } from '../worker/task-kind.ts';
import {
  aggregateOptions,
  aggregateSetupOf,
  checkAggregateOptions,
  type AggregateSetupNow,
} from './aggregate-setup.ts';
import type { EngineContext } from './engine-setup.ts';
import type { OpenTasks, OpenWorker } from './open-worker.ts';
import { checkStorages, checkWorkerOptions, workerOptions } from './worker-setup.ts';

/** Tasks to sum one window, which list its batches or refer to the claim that does. */
export function aggregateTasks(
  setup: AggregateSetup | AggregateSetupNow,
): TaskKind<AggregateTask | AggregateTaskReference> {
  const setupNow = typeof setup === 'function' ? setup : async () => setup;
  return {
    name: 'aggregate',
    decode: decodeAggregateMessage,
    describe: ({ aggregationId, window }) => ({
      aggregation_id: aggregationId,
      window_begin: formatBatchTime(window.begin),
      window_end: formatBatchTime(window.end),
    }),
    execute: async (task, { signal, log }) => {
      const { aggregate } = await import('../aggregate.ts');
      const setup = await setupNow();
      const whole = 'batchesObject' in task ? await readClaimedTask(task, setup.ownInput, signal) : task;
      const { batches, packets, invalidPackets, isPublished } = await aggregate(whole, { ...setup, log }, signal);
      setup.metrics.set(
        'facilitator_aggregate_window_end_timestamp_seconds',
        { aggregation_id: whole.aggregationId },
        whole.window.end.getTime() / 1000,
      );
      return { batches, packets, invalid_packets: invalidPackets, is_published: isPublished };
    },
  };
}

/** As `aggregateTasks`, with storages that were checked. @throws ConfigurationInvalid, KeyInvalid, PermissionDenied */
export async function openAggregateTasks(
  args: Args<typeof aggregateOptions>,
  context: EngineContext,
  metrics?: Metrics,
): Promise<OpenTasks<AggregateTask | AggregateTaskReference>> {
  const setupNow = await aggregateSetupOf(args, context, metrics);
  const { ingestorInput, peerInput, ownInput, portalOutput, ownOutput } = await setupNow();
  await checkStorages(
    { inputs: [ingestorInput, peerInput, ownInput], outputs: [portalOutput, ownOutput] },
    context.log,
  );
  return { kind: aggregateTasks(setupNow), setupNow };
}

/** `facilitator aggregate-worker`: sums windows as a queue says. */
export const aggregateWorkerCommand = command({
  name: 'aggregate-worker',
  describe: 'sum the windows that a task queue names and publish their sum parts, until told to end',
  options: { ...workerOptions, ...aggregateOptions },
  check: (args) => {
    checkAggregateOptions(args);
    checkWorkerOptions(args);
  },
  prepare: async (args, context): Promise<OpenWorker> => {
    const { openWorker } = await import('./open-worker.ts');
    return openWorker(args, (metrics) => openAggregateTasks(args, context, metrics), context);
  },
  run: (_args, _context, work) => work(),
});
