import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { command } from '../../common/runtime/command.ts';
import { integer, text } from '../../common/runtime/option-values.ts';
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
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
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
    batches: count('batches, in all aggregations together', 12),
    packets: count('packets, in all batches together', 12_000, 100_000_000),
    bins: count('bins of each packet', 20, MAX_SAMPLE_BINS),
    processes: count('processes at once', availableParallelism(), 256),
  },
  run: async (args, { clock, randomBytes: random, signal }) => {
    const { directory, processes, ...load } = args;
    const recorded = await readRecordedBatches(RECORDED_CASES, RECORDED_CASE);
    const deployment = await openDeployment(directory, load, { now: clock(), random });
    const equal = await runDeployment(recorded, deployment, {
      directory,
      env: process.env,
      stdout: process.stdout,
      show: stagesOn(process.stdout, process.stdout.isTTY ?? false),
      concurrency: processes,
      signal,
      nowMs: () => performance.now(),
    });
    if (!equal) throw new Error('the sums are not those of the reference');
  },
});

process.exitCode = await runProgram(
  { name: 'npm start --', version: 'local', envPrefix: 'DSP_LOCAL', commands: [run] },
  {
    argv: ['run', ...process.argv.slice(2)],
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stderrIsTty: process.stderr.isTTY ?? false,
    clock: () => new Date(),
    randomBytes,
    signal: stop.signal,
  },
);
