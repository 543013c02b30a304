import type { Logger } from '../../common/runtime/log.ts';
import { text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { AggregateSetup } from '../aggregate.ts';
import {
  decryptorsOf,
  ingestorKeysOf,
  peerKeyOptions,
  peerKeysOf,
  serverOf,
  serverOptions,
  signingKeyOf,
} from '../options.ts';
import { optionalStorage, requiredStorage } from '../wire.ts';

/** What it takes to sum any window: the options of `aggregate` and its worker, without those of a task. */
export const aggregateOptions = {
  ...serverOptions,
  ...peerKeyOptions,
  'instance-name': text({
    describe: 'name of this deployment, first part of the sum part’s path',
    example: 'us-ct-g-enpa',
    required: true,
    legacyEnv: 'INSTANCE_NAME',
  }),
  'peer-input': requiredStorage({ describe: 'where the peer’s validation batches are', legacyEnv: 'PEER_INPUT' }),
  'own-input': optionalStorage({
    describe:
      'where our own validation batches are, and the batch lists of large tasks; without it nothing is checked against what the peer was told',
  }),
  'portal-output': requiredStorage({ describe: 'where sum parts are published', legacyEnv: 'PORTAL_OUTPUT' }),
} as const;

/** @throws KeyInvalid */
export function aggregateSetupOf(args: Args<typeof aggregateOptions>, log: Logger): AggregateSetup {
  return {
    server: serverOf(args),
    instanceName: args['instance-name'],
    ingestorInput: args['ingestor-input'],
    ingestorKeys: ingestorKeysOf(args),
    peerInput: args['peer-input'],
    peerKeys: peerKeysOf(args),
    ownInput: args['own-input'],
    portalOutput: args['portal-output'],
    decryptors: decryptorsOf(args),
    signingKey: signingKeyOf(args),
    permitMalformed: args['permit-malformed-batch'],
    log,
  };
}
