import { BATCH_TIME_FORM, formatBatchTime, parseBatchTime } from '../../common/domain/batch-time.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import { command, type CommandContext } from '../../common/runtime/command.ts';
import { batchTime, uuid } from '../../common/runtime/option-values.ts';
import { checkSampleOptions, openSampler, sampleOptions, type Sampler } from './sample-setup.ts';

/** A batch of a random name at the present minute, as paths have times to the minute. */
export function newSampleBatch({ clock, randomBytes }: Pick<CommandContext, 'clock' | 'randomBytes'>): BatchId {
  // What was formatted can be parsed.
  return { id: formatUuidV4(randomBytes(16)), time: parseBatchTime(formatBatchTime(clock()))! };
}

/** `facilitator generate-ingestion-sample`: plays the ingestion server once. */
export const generateIngestionSampleCommand = command({
  name: 'generate-ingestion-sample',
  describe: 'write one ingestion batch with known data for both servers',
  options: {
    ...sampleOptions,
    'batch-id': uuid({ describe: 'the batch; by default a random one' }),
    date: batchTime({ describe: `time in the batch’s path, UTC, ${BATCH_TIME_FORM}; by default now` }),
  },
  check: (args) => checkSampleOptions(args),
  prepare: (args, context): Promise<Sampler> => openSampler(args, context),
  run: async (args, context, sampler) => {
    const { id, time } = newSampleBatch(context);
    await sampler.generate({ id: args['batch-id'] ?? id, time: args.date ?? time }, context.signal);
  },
});
