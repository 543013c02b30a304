import { ConfigurationInvalid } from '../../common/errors.ts';
import { flag, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { IntakeSetup } from '../intake.ts';
import { measuredStorage } from '../metrics/measured-storage.ts';
import { noMetrics, type Metrics } from '../metrics/metrics.ts';
import { checkServerOptions, ownKeysOf, serverOf, serverOptions } from '../options.ts';
import { credentialOptions, optionalStorageOf, storageOf } from '../storage-options.ts';
import { optionalStorage } from '../wire.ts';
import { engineOptions, openEngine, type EngineContext } from './engine-setup.ts';
import { peerOutputNeed, peerOutputOf } from './manifest-outputs.ts';
import { ingestorKeyNeed, ingestorKeyOptions, ingestorKeysOf, peerManifestOption } from './verification-options.ts';

/** What it takes to take in any batch: the options of `intake-batch` and its worker, without those of a task. */
export const intakeOptions = {
  ...serverOptions,
  ...ingestorKeyOptions,
  'instance-name': text({
    describe: 'name of this deployment, for manifests that are the instance’s own',
    example: 'us-ct-g-enpa',
    legacyEnv: 'INSTANCE_NAME',
  }),
  'peer-output': optionalStorage({
    describe: 'where the peer reads our validation batches; goes before the manifest',
    legacyEnv: 'PEER_OUTPUT',
  }),
  ...peerManifestOption,
  ...credentialOptions('peer'),
  'own-output': optionalStorage({
    describe: 'where we keep our own validation batches, the record that aggregate is held to',
  }),
  ...credentialOptions('own'),
  ...engineOptions,
  'write-single-object-validation-batches': flag({
    describe: 'write the peer’s validation batch as one object',
    default: false,
    legacyEnv: 'WRITE_SINGLE_OBJECT_VALIDATION_BATCHES',
  }),
} as const;

/** @throws UsageError */
export function checkIntakeOptions(args: Args<typeof intakeOptions>): void {
  checkServerOptions(args, [ingestorKeyNeed(args), peerOutputNeed(args)]);
}

/**
 * The setup as it is whenever a task begins, since our keys may be rotated, and the peer may move.
 * @throws KeyInvalid, ConfigurationInvalid, ManifestUnavailable, ManifestInvalid
 */
export type IntakeSetupNow = () => Promise<IntakeSetup>;

/** @throws ConfigurationInvalid, KeyInvalid */
export async function intakeSetupOf(
  args: Args<typeof intakeOptions>,
  { log, clock, atEnd, stopwatch }: EngineContext,
  metrics: Metrics = noMetrics,
): Promise<IntakeSetupNow> {
  const ownKeys = await ownKeysOf(args, log);
  const peerOutputNow = peerOutputOf(args, { log, clock });
  const watch = { metrics, clock };
  const ownOutput = optionalStorageOf(args, 'own', 'output', watch);
  const fixed = {
    server: serverOf(args),
    ingestorInput: storageOf(args, 'ingestor', 'input', watch),
    ingestorKeys: ingestorKeysOf(args, { log, clock, metrics }),
    ownOutput,
    permitMalformed: args['permit-malformed-batch'],
    singleObject: args['write-single-object-validation-batches'],
    engine: await openEngine(args, { atEnd, stopwatch }),
    log,
    metrics,
  };
  return async () => {
    const peerOutput = measuredStorage(await peerOutputNow(), metrics, clock);
    if (ownOutput?.url === peerOutput.url) {
      throw new ConfigurationInvalid(
        `--own-output and --peer-output are both ${peerOutput.url}, where one would replace the other; give each its own`,
      );
    }
    return { ...fixed, peerOutput, ...(await ownKeys()) };
  };
}
