import { UsageError } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { batchTime, text, uuid } from '../../common/runtime/option-values.ts';
import { aggregate, type AggregateSetup } from '../aggregate.ts';
import {
  batchOptions,
  decryptorsOf,
  ingestorKeysOf,
  peerKeyOptions,
  peerKeysOf,
  requireSigningKeyIdentifier,
  serverOf,
  signingKeyOf,
} from '../options.ts';
import { optionalStorage, requiredStorage } from '../wire.ts';

/** `facilitator aggregate`: sums one window. */
export const aggregateCommand = command({
  name: 'aggregate',
  describe: 'sum the shares of all valid packets of a window and publish the sum part',
  options: {
    ...batchOptions,
    ...peerKeyOptions,
    'instance-name': text({
      describe: 'name of this deployment, first part of the sum part’s path',
      example: 'us-ct-g-enpa',
      required: true,
      legacyEnv: 'INSTANCE_NAME',
    }),
    'batch-id': uuid({ describe: 'a batch to sum', required: true, repeat: true }),
    'batch-time': batchTime({
      describe: 'time in that batch’s path, UTC; one for each --batch-id, in the same order',
      required: true,
      repeat: true,
    }),
    'aggregation-start': batchTime({ describe: 'begin of the window, UTC', required: true }),
    'aggregation-end': batchTime({ describe: 'end of the window, UTC', required: true, example: '2026/11/20/13/00' }),
    'peer-input': requiredStorage({ describe: 'where the peer’s validation batches are', legacyEnv: 'PEER_INPUT' }),
    'own-input': optionalStorage({
      describe: 'where our own validation batches are; without it nothing is checked against what the peer was told',
    }),
    'portal-output': requiredStorage({ describe: 'where sum parts are published', legacyEnv: 'PORTAL_OUTPUT' }),
  },
  check: (args) => {
    requireSigningKeyIdentifier(args);
    const [ids, times] = [args['batch-id'].length, args['batch-time'].length];
    if (ids !== times) {
      throw new UsageError(
        `--batch-id is given ${ids} times and --batch-time ${times} times; give one --batch-time for each --batch-id, in the same order`,
      );
    }
    if (args['aggregation-start'] >= args['aggregation-end']) {
      throw new UsageError('--aggregation-end must be later than --aggregation-start');
    }
  },
  prepare: async (args, { log }): Promise<AggregateSetup> => {
    const setup = {
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
    await setup.ingestorInput.check('read');
    await setup.peerInput.check('read');
    await setup.portalOutput.check('write');
    return setup;
  },
  run: async (args, { signal }, setup) => {
    const times = args['batch-time'];
    const task = {
      aggregationId: args['aggregation-id'],
      window: { begin: args['aggregation-start'], end: args['aggregation-end'] },
      // `check` has seen to it that there is a time for each id.
      batches: args['batch-id'].map((id, i) => ({ id, time: times[i]! })),
    };
    await aggregate(task, setup, signal);
  },
});
