import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { Stopped } from '../common/errors.ts';
import { command } from '../common/runtime/command.ts';
import { choice, flag, integer, text } from '../common/runtime/option-values.ts';
import { runProgram } from '../common/runtime/program.ts';
import { reportOf } from './report.ts';
import { runScenarios, SCENARIOS } from './scenarios.ts';

const BINS = [20, 250, 4000] as const;
const MAX_PACKETS = 10_000_000;
const SHARED_MEMORY = '/dev/shm';

/** Seen from dist/bench. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = join(ROOT, 'docs/benchmarks.md');

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort(new Stopped(`stopped by ${name}`)));
}

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** Below a directory in memory where there is one, so that disks are not measured. */
function workplace(): string {
  try {
    accessSync(SHARED_MEMORY, constants.W_OK);
    return mkdtempSync(join(SHARED_MEMORY, 'dsp-bench-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'dsp-bench-'));
  }
}

const measure = command({
  name: 'measure',
  describe: 'measure our programs, the floor below them and a peer beside them',
  options: {
    scenario: choice(SCENARIOS, { describe: 'what to measure; by default everything', repeat: true }),
    bins: integer(1, 100_000, { describe: 'bins of the packets; by default 20, 250 and 4000', repeat: true }),
    packets: integer(10, MAX_PACKETS, {
      describe: 'packets of the larger batch of each round; by default what the bins allow',
    }),
    runs: integer(1, 100, { describe: 'rounds of each measurement', default: 5 }),
    node: text({
      describe: 'another Node to run our programs under as well, its executable',
      example: 'node_modules/node/bin/node',
      repeat: true,
    }),
    threads: integer(1, 256, { describe: 'threads that open packets; by default what the programs do' }),
    server: choice(['pha', 'facilitator'], { describe: 'whose work it is', default: 'facilitator' }),
    write: flag({
      describe: 'write docs/benchmarks.md: what is measured now and nothing else',
      default: false,
      bare: true,
    }),
  },
  run: async (args, { stdout, signal, randomBytes: random }) => {
    const { packets, runs, threads, server } = args;
    const directory = workplace();
    try {
      const results = await runScenarios({
        scenarios: args.scenario.length > 0 ? args.scenario : SCENARIOS,
        bins: args.bins.length > 0 ? args.bins : BINS,
        packets,
        runs,
        nodes: [process.execPath, ...args.node],
        threads,
        server,
        directory,
        random,
        version,
        bench: {
          env: { PATH: process.env['PATH'], HOME: process.env['HOME'], XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] },
          nowMs: () => performance.now(),
          signal,
          tell: (line) => void process.stderr.write(`${line}\n`),
        },
      });
      const document = await format(reportOf(results), { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT });
      if (args.write) await writeFile(DOCUMENT, document);
      await stdout.write(document);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
});

process.exitCode = await runProgram(
  { name: 'npm run bench --', version, envPrefix: 'DSP_BENCH', only: measure },
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
