import { setTimeout as sleep } from 'node:timers/promises';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { decodeAggregateMessage, type WindowTask } from '../../common/domain/task.ts';
import { errorFields, UsageError } from '../../common/errors.ts';
import { command, type CommandContext } from '../../common/runtime/command.ts';
import type { OptionSpec } from '../../common/runtime/option-spec.ts';
import { duration, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import { SampleMismatch } from '../errors.ts';
import { processorManifest } from '../manifest/manifests.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { SumPartSource, ValidationSetup } from '../sample/validate.ts';
import { credentialOptions, storageOf } from '../storage-options.ts';
import { requireAll, type Need } from '../ways.ts';
import { requiredStorage } from '../wire.ts';
import type { TaskKind } from '../worker/task-kind.ts';
import { packetCountOption } from './sample-setup.ts';
import {
  baseUrl,
  expiredKeyGrace,
  KEY_EXAMPLE,
  KEY_FORMS,
  keysOf,
  needOf,
  type KeyWays,
} from './verification-options.ts';
import type { OpenTasks, OpenWorker } from './open-worker.ts';
import { checkStorages, checkWorkerOptions, workerOptions } from './worker-setup.ts';

const publicKey = (whose: string): OptionSpec<string | undefined> =>
  text({
    describe: `key that verifies ${whose} sum parts: ${KEY_FORMS}; goes before the manifest`,
    example: KEY_EXAMPLE,
    secret: true,
  });
const keyIdentifier = text({ describe: 'name of that key in signatures', example: 'us-ct-g-enpa-batch-signing-key' });

const options = {
  ...workerOptions,
  'instance-name': text({
    describe: 'name of the deployment, first part of the sum parts’ paths',
    example: 'us-ct-g-enpa',
    required: true,
    legacyEnv: 'INSTANCE_NAME',
  }),
  'packet-count': { ...packetCountOption['packet-count'], describe: 'packets in each sample' },
  'sum-part-delay': duration(0, {
    describe: 'how long after a task was published both its sum parts are expected to be there',
    default: 600_000,
    example: '10m',
  }),
  'pha-output': requiredStorage({ describe: 'where the PHA’s sum parts are', legacyEnv: 'PHA_OUTPUT' }),
  ...credentialOptions('pha'),
  'pha-public-key': publicKey('the PHA’s'),
  'pha-public-key-identifier': keyIdentifier,
  'pha-manifest-base-url': baseUrl({
    describe: 'where the PHA’s manifest for --instance-name is, which has its keys',
    example: 'https://pha.example/manifests',
    legacyEnv: 'PHA_MANIFEST_BASE_URL',
  }),
  'facilitator-output': requiredStorage({
    describe: 'where the facilitator’s sum parts are',
    legacyEnv: 'FACILITATOR_OUTPUT',
  }),
  ...credentialOptions('facilitator'),
  'facilitator-public-key': publicKey('the facilitator’s'),
  'facilitator-public-key-identifier': keyIdentifier,
  'facilitator-manifest-base-url': baseUrl({
    describe: 'where the facilitator’s manifest for --instance-name is, which has its keys',
    example: 'https://facilitator.example/manifests',
    legacyEnv: 'FACILITATOR_MANIFEST_BASE_URL',
  }),
  'expired-key-grace': expiredKeyGrace,
} as const;

type ValidatorArgs = Args<typeof options>;
type Server = 'pha' | 'facilitator';

/** What a validator has besides what it reads. */
export interface ValidatorWatch {
  /** From the publication of a task until both sum parts should be there. */
  readonly sumPartDelayMs: number;
  readonly clock: () => Date;
  readonly metrics: Metrics;
}

/** Tasks to sum one window, of which it is looked at what came out. */
export function validateSampleTasks(setup: ValidationSetup, watch: ValidatorWatch): TaskKind<WindowTask> {
  return {
    name: 'validate-sample',
    decode: decodeAggregateMessage,
    describe: ({ aggregationId, window }) => ({
      aggregation_id: aggregationId,
      window_begin: formatBatchTime(window.begin),
      window_end: formatBatchTime(window.end),
    }),
    execute: async (task, { signal, log, publishedAt }) => {
      const { validateSample } = await import('../sample/validate.ts');
      await sleep(waitMs(watch, publishedAt), undefined, { signal });
      try {
        const { batches, packets } = await validateSample(task, setup, signal);
        return { batches, packets };
      } catch (err) {
        if (err instanceof SampleMismatch) {
          const labels = { aggregation_id: task.aggregationId, instance_name: setup.instanceName };
          watch.metrics.increment('sample_generator_mismatched_sum_count', labels);
          log.error({ ...labels, ...errorFields(err) }, 'the sum of samples is not what it has to be');
        }
        throw err;
      }
    },
  };
}

/** A task whose age nobody knows counts as new; and no clock that is ahead of ours makes us wait longer than that. */
function waitMs({ sumPartDelayMs, clock }: ValidatorWatch, publishedAt: Date | undefined): number {
  const ageMs = publishedAt === undefined ? 0 : clock().getTime() - publishedAt.getTime();
  return Math.min(Math.max(sumPartDelayMs - ageMs, 0), sumPartDelayMs);
}

/** `facilitator validate-ingestion-sample-worker`: checks the sums of samples as a queue tells of them. */
export const validateIngestionSampleWorkerCommand = command({
  name: 'validate-ingestion-sample-worker',
  describe: 'check that the sum parts of samples add up to their known data, for the windows that a task queue names',
  options,
  check: (args) => {
    checkWorkerOptions(args);
    requireAll([keyNeed(args, 'pha'), keyNeed(args, 'facilitator')]);
    if (args['sum-part-delay'] >= args['task-timeout']) {
      throw new UsageError('--sum-part-delay is not shorter than --task-timeout; example: --sum-part-delay 10m');
    }
  },
  prepare: async (args, context): Promise<OpenWorker> => {
    const { openWorker } = await import('./open-worker.ts');
    return openWorker(args, (metrics) => openValidator(args, context, metrics), context);
  },
  run: (_args, _context, work) => work(),
});

async function openValidator(
  args: ValidatorArgs,
  { clock, log }: CommandContext,
  metrics: Metrics,
): Promise<OpenTasks<WindowTask>> {
  const source = (server: Server): SumPartSource => ({
    storage: storageOf(args, server, 'output', { metrics, clock }),
    keys: keysOf(
      {
        party: server,
        ...keyWays(args, server),
        expiredKeyGraceMs: args['expired-key-grace'],
        manifestOf: (base, settings) => processorManifest(base, args['instance-name'], settings),
      },
      { clock, log },
    ),
  });
  const setup = {
    instanceName: args['instance-name'],
    packetCount: args['packet-count'],
    pha: source('pha'),
    facilitator: source('facilitator'),
  };
  await checkStorages({ inputs: [setup.pha.storage, setup.facilitator.storage], outputs: [] }, log);
  const watch = { sumPartDelayMs: args['sum-part-delay'], clock, metrics };
  return { kind: validateSampleTasks(setup, watch), setupNow: async () => setup };
}

const keyNeed = (args: ValidatorArgs, server: Server): Need => needOf(server, keyWays(args, server));

function keyWays(args: ValidatorArgs, server: Server): KeyWays {
  return {
    key: args[`${server}-public-key`],
    identifier: args[`${server}-public-key-identifier`],
    base: args[`${server}-manifest-base-url`],
  };
}
