import { command, type CommandContext } from '../../common/runtime/command.ts';
import { integer } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import { operationsOptions } from '../operations/options.ts';
import { newSampleBatch } from './generate-ingestion-sample.ts';
import type { OpenWorker } from './open-worker.ts';
import { checkSampleOptions, openSampler, sampleOptions } from './sample-setup.ts';
import { refuseLongTimer } from './task-setup.ts';
import { workerOptions } from './worker-setup.ts';

/** Timers count milliseconds in 31 bits. */
const MAX_INTERVAL_SECONDS = 2_147_483;

const options = {
  'generation-interval': integer(1, MAX_INTERVAL_SECONDS, {
    describe: 'seconds from one sample to the next',
    example: '60',
    required: true,
  }),
  ...sampleOptions,
  ...operationsOptions,
  'shutdown-grace': {
    ...workerOptions['shutdown-grace'],
    describe: 'how long a sample under way may take after SIGTERM or SIGINT before it is broken off',
  },
  'worker-maximum-lifetime': {
    ...workerOptions['worker-maximum-lifetime'],
    describe: 'seconds after which no further sample is written; by default no limit',
  },
} as const;

/** `facilitator generate-ingestion-sample-worker`: plays the ingestion server until told to end. */
export const generateIngestionSampleWorkerCommand = command({
  name: 'generate-ingestion-sample-worker',
  describe: 'write an ingestion batch with known data for both servers again and again, until told to end',
  options,
  check: (args) => {
    checkSampleOptions(args);
    refuseLongTimer('shutdown-grace', args['shutdown-grace'], '10m');
  },
  prepare: (args, context): Promise<OpenWorker> => openGenerator(args, context),
  run: (_args, _context, work) => work(),
});

async function openGenerator(args: Args<typeof options>, context: CommandContext): Promise<OpenWorker> {
  const { clock, log, signal, stopNow } = context;
  const { prometheusMetrics } = await import('../operations/prometheus.ts');
  const { startOperations } = await import('../operations/server.ts');
  const { repeatWork } = await import('../worker/repeated-work.ts');
  const metrics = await prometheusMetrics();
  const sampler = await openSampler(args, context, { metrics, clock });
  let isAlive = true;
  const operations = await startOperations({
    port: args['metrics-scrape-port'],
    metrics,
    isPoolAlive: () => isAlive,
    readiness: { keys: async () => void (await sampler.signingKey()) },
    clock,
    log,
  });
  const seconds = args['worker-maximum-lifetime'];
  const settings = {
    intervalMs: args['generation-interval'] * 1000,
    maximumLifetimeMs: seconds === undefined ? undefined : seconds * 1000,
    shutdownGraceMs: args['shutdown-grace'],
    log,
  };
  const labels = { aggregation_id: args['aggregation-id'] };
  return async () => {
    try {
      await repeatWork(
        (working) => sampler.generate(newSampleBatch(context), working),
        settings,
        { stop: signal, stopNow: stopNow() },
        (status) => metrics.increment('facilitator_samples_generated_total', { ...labels, status }),
      );
    } finally {
      isAlive = false;
      await operations[Symbol.asyncDispose]();
    }
  };
}
