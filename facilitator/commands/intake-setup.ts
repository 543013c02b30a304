import { ConfigurationInvalid } from '../../common/errors.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { flag, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { IntakeSetup } from '../intake.ts';
import { decryptorsOf, ingestorKeysOf, serverOf, serverOptions, signingKeyOf } from '../options.ts';
import { optionalStorage, requiredStorage } from '../wire.ts';

/** What it takes to take in any batch: the options of `intake-batch` and its worker, without those of a task. */
export const intakeOptions = {
  ...serverOptions,
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
} as const;

/** @throws ConfigurationInvalid, KeyInvalid */
export function intakeSetupOf(args: Args<typeof intakeOptions>, log: Logger): IntakeSetup {
  if (args['own-output']?.url === args['peer-output'].url) {
    throw new ConfigurationInvalid(
      `--own-output and --peer-output are both ${args['peer-output'].url}, where one would replace the other; give each its own`,
    );
  }
  return {
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
}
