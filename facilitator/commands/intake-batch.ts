import { command } from '../../common/runtime/command.ts';
import { batchTime, uuid } from '../../common/runtime/option-values.ts';
import type { IntakeSetup } from '../intake.ts';
import { aggregationIdOption } from '../options.ts';
import { checkIntakeOptions, intakeOptions, intakeSetupOf } from './intake-setup.ts';

/** `facilitator intake-batch`: takes one ingestion batch in. */
export const intakeBatchCommand = command({
  name: 'intake-batch',
  describe: 'verify one ingestion batch and write our validation of it for the peer',
  options: {
    ...aggregationIdOption,
    'batch-id': uuid({ describe: 'the batch', required: true }),
    date: batchTime({ describe: 'time in the batch’s path, UTC', required: true }),
    ...intakeOptions,
  },
  check: (args) => checkIntakeOptions(args),
  prepare: async (args, context): Promise<IntakeSetup> => {
    context.log.info({ aggregation_id: args['aggregation-id'], batch_id: args['batch-id'] }, 'intake started');
    const setupNow = await intakeSetupOf(args, context);
    const setup = await setupNow();
    await setup.ingestorInput.check('read');
    await setup.peerOutput.check('write');
    await setup.ownOutput?.check('write');
    return setup;
  },
  run: async (args, { signal }, setup) => {
    const { intakeBatch } = await import('../intake.ts');
    const batch = { id: args['batch-id'], time: args.date };
    await intakeBatch({ aggregationId: args['aggregation-id'], batch }, setup, signal);
  },
});
