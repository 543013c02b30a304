import { text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { AggregateSetup } from '../aggregate.ts';
import { measuredStorage } from '../metrics/measured-storage.ts';
import { noMetrics, type Metrics } from '../metrics/metrics.ts';
import { checkServerOptions, ownKeysOf, serverOf, serverOptions } from '../options.ts';
import { credentialOptions, optionalStorageOf, storageOf } from '../storage-options.ts';
import { optionalStorage, requiredStorage } from '../wire.ts';
import { engineOptions, openEngine, type EngineContext } from './engine-setup.ts';
import { portalManifestOption, portalOutputNeed, portalOutputOf } from './manifest-outputs.ts';
import {
  ingestorKeyNeed,
  ingestorKeyOptions,
  ingestorKeysOf,
  peerKeyNeed,
  peerKeyOptions,
  peerKeysOf,
} from './verification-options.ts';

/** What it takes to sum any window: the options of `aggregate` and its worker, without those of a task. */
export const aggregateOptions = {
  ...serverOptions,
  ...ingestorKeyOptions,
  ...peerKeyOptions,
  'instance-name': text({
    describe: 'name of this deployment, first part of the sum part’s path',
    example: 'us-ct-g-enpa',
    required: true,
    legacyEnv: 'INSTANCE_NAME',
  }),
  'peer-input': requiredStorage({ describe: 'where the peer’s validation batches are', legacyEnv: 'PEER_INPUT' }),
  ...credentialOptions('peer'),
  'own-input': optionalStorage({
    describe:
      'where our own validation batches are, and the batch lists of large tasks; without it nothing is checked against what the peer was told',
  }),
  'own-output': optionalStorage({
    describe:
      'where a copy of each sum part is kept, the same as --own-input; required where --portal-output cannot be read',
  }),
  ...credentialOptions('own'),
  'portal-output': optionalStorage({
    describe: 'where sum parts are published; goes before the manifest',
    legacyEnv: 'PORTAL_OUTPUT',
  }),
  ...portalManifestOption,
  ...credentialOptions('portal'),
  ...engineOptions,
} as const;

/** @throws UsageError */
export function checkAggregateOptions(args: Args<typeof aggregateOptions>): void {
  checkServerOptions(args, [ingestorKeyNeed(args), peerKeyNeed(args), portalOutputNeed(args)]);
}

/**
 * The setup as it is whenever a task begins, since our keys may be rotated, and the portal may move.
 * @throws KeyInvalid, ConfigurationInvalid, ManifestUnavailable, ManifestInvalid
 */
export type AggregateSetupNow = () => Promise<AggregateSetup>;

/** @throws ConfigurationInvalid, KeyInvalid */
export async function aggregateSetupOf(
  args: Args<typeof aggregateOptions>,
  { log, clock, atEnd, stopwatch }: EngineContext,
  metrics: Metrics = noMetrics,
): Promise<AggregateSetupNow> {
  const ownKeys = await ownKeysOf(args, log);
  const watch = { metrics, clock };
  const portalOutputNow = portalOutputOf(args, { log, clock });
  const fixed = {
    server: serverOf(args),
    instanceName: args['instance-name'],
    ingestorInput: storageOf(args, 'ingestor', 'input', watch),
    ingestorKeys: ingestorKeysOf(args, { log, clock, metrics }),
    peerInput: storageOf(args, 'peer', 'input', watch),
    peerKeys: peerKeysOf(args, { log, clock, metrics }),
    ownInput: optionalStorageOf(args, 'own', 'input', watch),
    ownOutput: optionalStorageOf(args, 'own', 'output', watch),
    permitMalformed: args['permit-malformed-batch'],
    engine: await openEngine(args, { atEnd, stopwatch }),
    log,
    metrics,
  };
  return async () => {
    const portalOutput = measuredStorage(await portalOutputNow(), metrics, clock);
    return { ...fixed, portalOutput, ...(await ownKeys()) };
  };
}
