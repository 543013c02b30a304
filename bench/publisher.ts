import { fileURLToPath } from 'node:url';
import { runToSuccess, type Bench } from './process.ts';
import type { PublisherRun } from './results.ts';

/** Seen from dist/bench. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs bench/publisher.bench.ts, which prints what each run of the publisher used. */
export async function measurePublisher(bench: Bench): Promise<PublisherRun[]> {
  bench.tell('runs the publisher on stand-ins of clouds');
  const { stdout } = await runToSuccess(
    {
      executable: process.execPath,
      args: ['node_modules/vitest/vitest.mjs', 'bench', '--run', 'bench/publisher.bench.ts'],
      directory: ROOT,
    },
    bench,
  );
  for (const line of stdout.split('\n').filter((line) => line.startsWith('skipped: '))) bench.tell(line);
  return parsePublisherRuns(stdout);
}

const LINE = /^(.+?), (.+): CPU ([\d.]+) s, wall ([\d.]+) s, peak RSS ([\d.]+) MiB$/gm;

export function parsePublisherRuns(output: string): PublisherRun[] {
  return [...output.matchAll(LINE)].map(([, cloud = '', what = '', cpuS, wallS, peakMiB]) => ({
    cloud,
    what,
    cpuS: Number(cpuS),
    wallS: Number(wallS),
    peakMiB: Number(peakMiB),
  }));
}
