import { ConfigurationInvalid } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { batchTime, flag, text, uuid } from '../../common/runtime/option-values.ts';
import { intakeBatch, type IntakeSetup } from '../intake.ts';
import {
  batchOptions,
  decryptorsOf,
  ingestorKeysOf,
  requireSigningKeyIdentifier,
  serverOf,
  signingKeyOf,
} from '../options.ts';
import { optionalStorage, requiredStorage } from '../wire.ts';

/** `facilitator intake-batch`: takes one ingestion batch in. */
export const intakeBatchCommand = command({
  name: 'intake-batch',
  describe: 'verify one ingestion batch and write our validation of it for the peer',
  options: {
    ...batchOptions,
    'batch-id': uuid({ describe: 'the batch', required: true }),
    date: batchTime({ describe: 'time in the batch’s path, UTC', required: true }),
    'instance-name': text({
      describe: 'accepted for the reference’s sake, not used',
      example: 'us-ct-g-enpa',
      legacyEnv: 'INSTANCE_NAME',
    }),
    'peer-output': requiredStorage({
      describe: 'where the peer reads our validation batches',
      legacyEnv: 'PEER_OUTPUT',
    }),
    'own-output': optionalStorage({
      describe: 'where we keep our own validation batches, the record that aggregate is held to',
    }),
    'write-single-object-validation-batches': flag({
      describe: 'write the peer’s validation batch as one object',
      default: false,
      legacyEnv: 'WRITE_SINGLE_OBJECT_VALIDATION_BATCHES',
    }),
  },
  check: (args) => void requireSigningKeyIdentifier(args),
  prepare: async (args, { log }): Promise<IntakeSetup> => {
    if (args['own-output']?.url === args['peer-output'].url) {
      throw new ConfigurationInvalid(
        `--own-output and --peer-output are both ${args['peer-output'].url}, where one would replace the other; give each its own`,
      );
    }
    const setup = {
      server: serverOf(args),
      ingestorInput: args['ingestor-input'],
      ingestorKeys: ingestorKeysOf(args),
      peerOutput: args['peer-output'],
      ownOutput: args['own-output'],
      decryptors: decryptorsOf(args),
      signingKey: signingKeyOf(args),
      permitMalformed: args['permit-malformed-batch'],
      singleObject: args['write-single-object-validation-batches'],
      log,
    };
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
