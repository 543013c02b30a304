import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { UsageError } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { batchTime, uuid } from '../../common/runtime/option-values.ts';
import type { AggregateSetup } from '../aggregate.ts';
import { aggregationIdOption } from '../options.ts';
import { aggregateOptions, aggregateSetupOf, checkAggregateOptions } from './aggregate-setup.ts';

/** `facilitator aggregate`: sums one window. */
export const aggregateCommand = command({
  name: 'aggregate',
  describe: 'sum the shares of all valid packets of a window and publish the sum part',
  options: {
    ...aggregationIdOption,
    'batch-id': uuid({ describe: 'a batch to sum', required: true, repeat: true }),
    'batch-time': batchTime({
      describe: 'time in that batch’s path, UTC; one for each --batch-id, in the same order',
      required: true,
      repeat: true,
    }),
    'aggregation-start': batchTime({ describe: 'begin of the window, UTC', required: true }),
    'aggregation-end': batchTime({ describe: 'end of the window, UTC', required: true, example: '2026/11/20/13/00' }),
    ...aggregateOptions,
  },
  check: (args) => {
    checkAggregateOptions(args);
    const [ids, times] = [args['batch-id'].length, args['batch-time'].length];
    if (ids !== times) {
      throw new UsageError(
        `--batch-id is given ${ids} times and --batch-time ${times} times; give one --batch-time for each --batch-id, in the same order; example: --batch-id b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e --batch-time 2026/11/20/10/00`,
      );
    }
    const [start, end] = [args['aggregation-start'], args['aggregation-end']];
    if (start >= end) {
      throw new UsageError(
        `--aggregation-end ${formatBatchTime(end)} is not later than --aggregation-start ${formatBatchTime(start)}; example: --aggregation-start 2026/11/20/10/00 --aggregation-end 2026/11/20/13/00`,
      );
    }
  },
  prepare: async (args, context): Promise<AggregateSetup> => {
    context.log.info(
      { aggregation_id: args['aggregation-id'], batches: args['batch-id'].length },
      'aggregation started',
    );
    const setupNow = await aggregateSetupOf(args, context);
    const setup = await setupNow();
    await setup.ingestorInput.check('read');
    await setup.peerInput.check('read');
    await setup.portalOutput.check('write');
    await setup.ownOutput?.check('write');
    return setup;
  },
  run: async (args, { signal }, setup) => {
    const { aggregate } = await import('../aggregate.ts');
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
