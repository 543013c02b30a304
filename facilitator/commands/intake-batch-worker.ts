import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { decodeIntakeTask, type IntakeTask } from '../../common/domain/task.ts';
import { command } from '../../common/runtime/command.ts';
import { intakeBatch, type IntakeSetup } from '../intake.ts';
import { requireSigningKeyIdentifier } from '../options.ts';
import type { TaskKind } from '../worker/task-kind.ts';
import { intakeOptions, intakeSetupOf } from './intake-setup.ts';
import { checkStorages, checkWorkerOptions, openWorker, workerOptions, type OpenWorker } from './worker-setup.ts';

/** Tasks to take one ingestion batch in. */
export function intakeTasks(setup: IntakeSetup): TaskKind<IntakeTask> {
  return {
    decode: decodeIntakeTask,
    describe: ({ aggregationId, batch }) => ({
      aggregation_id: aggregationId,
      batch_id: batch.id,
      batch_time: formatBatchTime(batch.time),
    }),
    handle: async (task, { signal, log }) => void (await intakeBatch(task, { ...setup, log }, signal)),
  };
}

/** `facilitator intake-batch-worker`: takes batches in as a queue says. */
export const intakeBatchWorkerCommand = command({
  name: 'intake-batch-worker',
  describe: 'take in the ingestion batches that a task queue names, until told to end',
  options: { ...workerOptions, ...intakeOptions },
  check: (args) => {
    requireSigningKeyIdentifier(args);
    checkWorkerOptions(args);
  },
  prepare: async (args, context): Promise<OpenWorker> => {
    const setup = intakeSetupOf(args, context.log);
    const { ingestorInput, peerOutput, ownOutput } = setup;
    await checkStorages({ inputs: [ingestorInput], outputs: [peerOutput, ownOutput] }, context.log);
    return openWorker(args, intakeTasks(setup), context);
  },
  run: (_args, { signal }, work) => work(signal),
});
