import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Stopped, UsageError } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { duration, integer, text } from '../../common/runtime/option-values.ts';
import { runProgram } from '../../common/runtime/program.ts';
import { MAX_SAMPLE_BINS } from '../../facilitator/sample/sample-data.ts';
import { openDeployment } from './deployment.ts';
import { stagesOn } from './progress.ts';
import { readRecordedBatches } from './recorded-batches.ts';
import { runDeployment } from './run.ts';

/** Three well-formed batches of the reference. */
const RECORDED_CASE = 'ordinary';
// Three levels up from dist/deploy/local.
const RECORDED_CASES = fileURLToPath(new URL('../../../test/vectors/cases', import.meta.url));

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort(new Stopped(`stopped by ${name}`)));
}

const count = (
  what: string,
  value: number,
  max = 1_000_000,
): ReturnType<typeof integer<{ describe: string; default: number }>> =>
  integer(1, max, { describe: what, default: value });

const run = command({
  name: 'run',
  describe: 'run both data share processors on this machine and compare their sums with the reference',
  options: {
    directory: text({ describe: 'where everything is kept', example: '/tmp/dsp', default: 'dsp-local' }),
    aggregations: count('aggregations', 2),
    batches: count('batches, in all aggregations together', 24),
    packets: count('packets, in all batches together', 24_000, 100_000_000),
    bins: count('bins of each packet', 20, MAX_SAMPLE_BINS),
    processes: count('processes at once, where one is started for each batch', availableParallelism(), 256),
    lease: duration(1000, { describe: 'how long what a killed process held stays held', default: 30_000 }),
  },
  check: ({ aggregations, batches, packets }) => {
    if (batches < aggregations) {
      throw new UsageError(
        `--batches ${batches} is too few for --aggregations ${aggregations}: each needs a batch; example: --batches ${aggregations}`,
      );
    }
    if (packets < batches) {
      throw new UsageError(
        `--packets ${packets} is too few for --batches ${batches}: each needs a packet; example: --packets ${batches}`,
      );
    }
  },
  run: async (args, { clock, randomBytes: random, signal }) => {
    const { directory, processes, lease, ...load } = args;
    const recorded = await readRecordedBatches(RECORDED_CASES, RECORDED_CASE);
    const deployment = await openDeployment(directory, load, { now: clock(), random });
    const equal = await runDeployment(recorded, deployment, {
      directory,
      env: process.env,
      stdout: process.stdout,
      show: stagesOn(process.stdout, process.stdout.isTTY ?? false),
      concurrency: processes,
      leaseMs: lease,
      signal,
      nowMs: () => performance.now(),
    });
    if (!equal) throw new Error('the sums are not those of the reference');
  },
});

process.exitCode = await runProgram(
  { name: 'npm start --', version: 'local', envPrefix: 'DSP_LOCAL', only: run },
  {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stderrIsTty: process.stderr.isTTY ?? false,
    clock: () => new Date(),
    randomBytes,
    readFile: (path) => readFile(path, 'utf8'),
    signal: stop.signal,
  },
);
