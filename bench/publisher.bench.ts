import { bench, describe } from 'vitest';
import type { BatchInfix } from '../common/domain/batch-object.ts';
import type { BatchId } from '../common/domain/batch-path.ts';
import { MINUTE_MS } from '../common/domain/interval.ts';
import { run } from '../test/support/child-process.ts';
import { AMAZON, GOOGLE, type CloudWorld, type RunningCloud } from '../test/support/clouds.ts';
import { argumentsOf, batchAt, NOW, objectsOf, WINDOW, WORKFLOW_MANAGER } from '../test/support/publisher.ts';
import { resourceUse, TELLS_RESOURCE_USE } from '../test/support/resource-use.ts';

/*
 * The publisher as it is installed, on stand-ins of clouds: `npm run build && npx vitest bench --run publisher`.
 * After each run it prints what the process used. The stand-ins share the machine's cores with it.
 */

const AGGREGATIONS = ['a', 'b'];
const INCOMING = 1600;
const IN_A_WINDOW = 500;
const RUNS = { iterations: 3, time: 0, warmupIterations: 0, warmupTime: 0 };

const namesOf = (id: string, batches: readonly BatchId[], infix: BatchInfix): string[] =>
  batches.flatMap((batch) => objectsOf(id, batch, infix));

describe.each([GOOGLE, AMAZON])('workflow-manager on $name', (cloud) => {
  describe.skipIf(cloud.isMissing(`bench of the publisher on ${cloud.name}`))('with its stand-ins', () => {
    let running: RunningCloud | undefined;
    let world: CloudWorld;

    // Vitest runs no hooks of suites around benchmarks, and those of a benchmark twice.
    const setup = async (): Promise<void> => {
      if (running) return;
      running = await cloud.start();
      // moto becomes slow with thousands of messages in its queues.
      world = await running.newWorld({ isHeard: cloud !== AMAZON });
      for (const id of AGGREGATIONS) {
        const incoming = Array.from({ length: INCOMING }, (_, i) =>
          batchAt(new Date(NOW.getTime() - (i % 60) * MINUTE_MS), i),
        );
        const summable = Array.from({ length: IN_A_WINDOW }, (_, i) =>
          batchAt(new Date(WINDOW.begin.getTime() + (i % 180) * MINUTE_MS), i),
        );
        await world.write('ingestion', namesOf(id, [...incoming, ...summable], 'batch'));
        await world.write('ownValidation', namesOf(id, summable, 'validity_1'));
        await world.write('peerValidation', namesOf(id, summable, 'validity_0'));
      }
    };
    const teardown = async (_: unknown, mode?: 'warmup' | 'run'): Promise<void> => {
      if (mode === 'run') await running?.[Symbol.asyncDispose]();
    };

    const publish = async (what: string): Promise<void> => {
      const args = argumentsOf({ 'as-of': NOW.toISOString(), ...world.options });
      const ended = await run(WORKFLOW_MANAGER, args, { node: TELLS_RESOURCE_USE, env: running?.env ?? {} });
      if (ended.status !== 0) throw new Error(ended.stderr.slice(-2000));
      const { cpuMs, wallMs, peakMiB } = resourceUse(ended);
      const figures = `CPU ${(cpuMs / 1000).toFixed(2)} s, wall ${(wallMs / 1000).toFixed(2)} s, peak RSS ${peakMiB.toFixed(0)} MiB`;
      process.stdout.write(`${cloud.name}, ${what}: ${figures}\n`);
    };

    bench(
      `${AGGREGATIONS.length} aggregations, ${INCOMING} new batches and a window of ${IN_A_WINDOW} in each`,
      async () => {
        world.forget();
        await publish('everything to do');
      },
      { ...RUNS, setup },
    );

    bench('nothing to do', () => publish('nothing to do'), { ...RUNS, setup, teardown });
  });
});
