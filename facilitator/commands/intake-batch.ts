import { command } from '../../common/runtime/command.ts';
import { batchTime, uuid } from '../../common/runtime/option-values.ts';
import { intakeBatch, type IntakeSetup } from '../intake.ts';
import { aggregationIdOption, requireSigningKeyIdentifier } from '../options.ts';
import { intakeOptions, intakeSetupOf } from './intake-setup.ts';

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
  check: (args) => void requireSigningKeyIdentifier(args),
  prepare: async (args, { log }): Promise<IntakeSetup> => {
    const setup = intakeSetupOf(args, log);
    await setup.ingestorInput.check('read');
    await setup.peerOutput.check('write');
    await setup.ownOutput?.check('write');
    return setup;
  },
  run: async (args, { signal }, setup) => {
    const batch = { id: args['batch-id'], time: args.date };
    await intakeBatch({ aggregationId: args['aggregation-id'], batch }, setup, signal);
  },
});
