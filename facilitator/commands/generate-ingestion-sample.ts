import { BATCH_TIME_FORM, formatBatchTime, parseBatchTime } from '../../common/domain/batch-time.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import { ConfigurationInvalid } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { batchTime, integer, number, text, uuid } from '../../common/runtime/option-values.ts';
import { parseEncryptionKey } from '../crypto/keys.ts';
import { requireSigningKeyIdentifier, signingKeyOf, signingOptions } from '../options.ts';
import { generateSample, type SampleRecipient } from '../sample/generate.ts';
import { MAX_SAMPLE_BINS } from '../sample/sample-data.ts';
import { requiredStorage } from '../wire.ts';

const MAX_MS = 8.64e15;

/** `facilitator generate-ingestion-sample`: plays the ingestion server once. */
export const generateIngestionSampleCommand = command({
  name: 'generate-ingestion-sample',
  describe: 'write one ingestion batch with known data for both servers',
  options: {
    ...signingOptions,
    'aggregation-id': text({ describe: 'name of the aggregation', example: 'kittens-seen', required: true }),
    'batch-id': uuid({ describe: 'the batch; by default a random one' }),
    date: batchTime({ describe: `time in the batch’s path, UTC, ${BATCH_TIME_FORM}; by default now` }),
    'packet-count': integer(1, 2 ** 31 - 1, {
      describe: 'packets in the batch',
      example: '100',
      required: true,
      alias: 'p',
    }),
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
    'facilitator-output': requiredStorage({
      describe: 'ingestion storage of the facilitator',
      legacyEnv: 'FACILITATOR_OUTPUT',
    }),
  },
  check: (args) => void requireSigningKeyIdentifier(args),
  prepare: async (args): Promise<Pick<Parameters<typeof generateSample>[0], 'pha' | 'facilitator' | 'signingKey'>> => {
    if (args['peer-output'].url === args['facilitator-output'].url) {
      throw new ConfigurationInvalid(
        `--peer-output and --facilitator-output are both ${args['peer-output'].url}, where one copy would replace the other; give each its own`,
      );
    }
    const recipient = (output: SampleRecipient['output'], key: string, option: string): SampleRecipient => ({
      output,
      encryptionKey: parseEncryptionKey(key, option),
    });
    const prepared = {
      pha: recipient(args['peer-output'], args['pha-ecies-public-key'], '--pha-ecies-public-key'),
      facilitator: recipient(
        args['facilitator-output'],
        args['facilitator-ecies-public-key'],
        '--facilitator-ecies-public-key',
      ),
      signingKey: signingKeyOf(args),
    };
    await prepared.pha.output.check('write');
    await prepared.facilitator.output.check('write');
    return prepared;
  },
  run: async (args, { clock, randomBytes, log, signal }, prepared) => {
    const id = args['batch-id'] ?? formatUuidV4(randomBytes(16));
    // Paths have times to the minute.
    const time = args.date ?? parseBatchTime(formatBatchTime(clock()))!;
    await generateSample(
      {
        aggregationId: args['aggregation-id'],
        batch: { id, time },
        bins: args.dimension,
        packetCount: args['packet-count'],
        epsilon: args.epsilon,
        batchStartTimeMs: args['batch-start-time'],
        batchEndTimeMs: args['batch-end-time'],
        random: randomBytes,
        ...prepared,
      },
      signal,
    );
    const fields = { aggregation_id: args['aggregation-id'], batch_id: id, batch_time: formatBatchTime(time) };
    log.info({ ...fields, packets: args['packet-count'] }, 'sample written');
  },
});
