import { formatBatchTime } from '../../common/domain/batch-time.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { ConfigurationInvalid } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import { integer, number, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import { parseEncryptionKey } from '../crypto/keys.ts';
import { checkSigningOptions, signingKeyOf, signingOptions, type KeyLookup } from '../options.ts';
import type { SampleRecipient, SampleRequest } from '../sample/generate.ts';
import { MAX_SAMPLE_BINS } from '../sample/sample-data.ts';
import { commonCredentialOptions, credentialOptions, storageOf, type Watch } from '../storage-options.ts';
import { requiredStorage } from '../wire.ts';

const MAX_MS = 8.64e15;

/** How many packets of known data a sample batch has; for whoever makes them and whoever adds them up. */
export const packetCountOption = {
  'packet-count': integer(1, 2 ** 31 - 1, {
    describe: 'packets in the batch',
    example: '100',
    required: true,
    alias: 'p',
  }),
} as const;

/** What it takes to write any sample: all but which batch it is. */
export const sampleOptions = {
  ...signingOptions,
  'aggregation-id': text({ describe: 'name of the aggregation', example: 'kittens-seen', required: true }),
  ...packetCountOption,
  dimension: integer(1, MAX_SAMPLE_BINS, { describe: 'bins', example: '20', required: true, alias: 'd' }),
  epsilon: number({ describe: 'epsilon of the header', example: '0.23', required: true }),
  'batch-start-time': integer(-MAX_MS, MAX_MS, {
    describe: 'start time of the header, ms since 1970',
    example: '1795168800000',
    required: true,
  }),
  'batch-end-time': integer(-MAX_MS, MAX_MS, {
    describe: 'end time of the header, ms since 1970',
    example: '1795172400000',
    required: true,
  }),
  'pha-ecies-public-key': text({
    describe: 'packet encryption key of the PHA: base64 of the 65-byte point',
    example: 'BIl6j+J6dYttxALd…',
    required: true,
    secret: true,
    legacyEnv: 'PHA_ECIES_PUBLIC_KEY',
  }),
  'facilitator-ecies-public-key': text({
    describe: 'packet encryption key of the facilitator: base64 of the 65-byte point',
    example: 'BNNOqoU54GPo+1gT…',
    required: true,
    secret: true,
    legacyEnv: 'FACILITATOR_ECIES_PUBLIC_KEY',
  }),
  'peer-output': requiredStorage({ describe: 'ingestion storage of the PHA', legacyEnv: 'PEER_OUTPUT' }),
  ...credentialOptions('peer'),
  'facilitator-output': requiredStorage({
    describe: 'ingestion storage of the facilitator',
    legacyEnv: 'FACILITATOR_OUTPUT',
  }),
  ...credentialOptions('facilitator'),
  ...commonCredentialOptions,
} as const;

/** @throws UsageError */
export const checkSampleOptions = (args: Args<typeof sampleOptions>): void => checkSigningOptions(args);

/** Writes samples of one kind. */
export interface Sampler {
  readonly signingKey: KeyLookup<SampleRequest['signingKey']>;
  /** Writes a sample for both servers, and logs that. */
  readonly generate: (batch: BatchId, signal: AbortSignal) => Promise<void>;
}

/** With storages that were checked. @throws ConfigurationInvalid, KeyInvalid, PermissionDenied */
export async function openSampler(
  args: Args<typeof sampleOptions>,
  { log, randomBytes }: Pick<CommandContext, 'log' | 'randomBytes'>,
  watch?: Watch,
): Promise<Sampler> {
  const peerOutput = storageOf(args, 'peer', 'output', watch);
  const facilitatorOutput = storageOf(args, 'facilitator', 'output', watch);
  if (peerOutput.url === facilitatorOutput.url) {
    throw new ConfigurationInvalid(
      `--peer-output and --facilitator-output are both ${peerOutput.url}, where one copy would replace the other; give each its own`,
    );
  }
  const recipient = (output: Storage, key: string, option: string): SampleRecipient => ({
    output,
    encryptionKey: parseEncryptionKey(key, option),
  });
  const aggregationId = args['aggregation-id'];
  const packetCount = args['packet-count'];
  const fixed = {
    aggregationId,
    packetCount,
    bins: args.dimension,
    epsilon: args.epsilon,
    batchStartTimeMs: args['batch-start-time'],
    batchEndTimeMs: args['batch-end-time'],
    pha: recipient(peerOutput, args['pha-ecies-public-key'], '--pha-ecies-public-key'),
    facilitator: recipient(facilitatorOutput, args['facilitator-ecies-public-key'], '--facilitator-ecies-public-key'),
    random: randomBytes,
  };
  const signingKey = await signingKeyOf(args, log);
  const { generateSample } = await import('../sample/generate.ts');
  await peerOutput.check('write');
  await facilitatorOutput.check('write');
  return {
    signingKey,
    generate: async (batch, signal) => {
      await generateSample({ ...fixed, batch, signingKey: await signingKey() }, signal);
      const fields = { aggregation_id: aggregationId, batch_id: batch.id, batch_time: formatBatchTime(batch.time) };
      log.info({ ...fields, packets: packetCount }, 'sample written');
    },
  };
}
