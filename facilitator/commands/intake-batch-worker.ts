import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { decodeIntakeTask, type IntakeTask } from '../../common/domain/task.ts';
import { command } from '../../common/runtime/command.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { IntakeSetup } from '../intake.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { TaskKind } from '../worker/task-kind.ts';
import { checkIntakeOptions, intakeOptions, intakeSetupOf, type IntakeSetupNow } from './intake-setup.ts';
import type { EngineContext } from './engine-setup.ts';
import type { OpenTasks, OpenWorker } from './open-worker.ts';
import { checkStorages, checkWorkerOptions, workerOptions } from './worker-setup.ts';

/** Tasks to take one ingestion batch in. */
export function intakeTasks(setup: IntakeSetup | IntakeSetupNow): TaskKind<IntakeTask> {
  const setupNow = typeof setup === 'function' ? setup : async () => setup;
  return {
    name: 'intake',
    decode: decodeIntakeTask,
    describe: ({ aggregationId, batch }) => ({
      aggregation_id: aggregationId,
      batch_id: batch.id,
      batch_time: formatBatchTime(batch.time),
    }),
    execute: async (task, { signal, log }) => {
      const { intakeBatch } = await import('../intake.ts');
      const { packets, withoutMessage, isWritten } = await intakeBatch(task, { ...(await setupNow()), log }, signal);
      return { packets, packets_without_message: withoutMessage, is_written: isWritten };
    },
  };
}

/** As `intakeTasks`, with storages that were checked. @throws ConfigurationInvalid, KeyInvalid, PermissionDenied */
export async function openIntakeTasks(
  args: Args<typeof intakeOptions>,
  context: EngineContext,
  metrics?: Metrics,
): Promise<OpenTasks<IntakeTask>> {
  const setupNow = await intakeSetupOf(args, context, metrics);
  const { ingestorInput, peerOutput, ownOutput } = await setupNow();
  await checkStorages({ inputs: [ingestorInput], outputs: [peerOutput, ownOutput] }, context.log);
  return { kind: intakeTasks(setupNow), setupNow };
}

/** `facilitator intake-batch-worker`: takes batches in as a queue says. */
export const intakeBatchWorkerCommand = command({
  name: 'intake-batch-worker',
  describe: 'take in the ingestion batches that a task queue names, until told to end',
  options: { ...workerOptions, ...intakeOptions },
  check: (args) => {
    checkIntakeOptions(args);
    checkWorkerOptions(args);
  },
  prepare: async (args, context): Promise<OpenWorker> => {
    const { openWorker } = await import('./open-worker.ts');
    return openWorker(args, (metrics) => openIntakeTasks(args, context, metrics), context);
  },
  run: (_args, _context, work) => work(),
});
