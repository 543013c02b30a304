import { expect, it } from 'vitest';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { run } from '../support/child-process.ts';
import { startHugeBuckets } from '../support/huge-bucket.ts';
import { logLines } from '../support/log-lines.ts';
import { argumentsOf, NOW, WORKFLOW_MANAGER } from '../support/publisher.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';
import { resourceUse, TELLS_RESOURCE_USE, type ResourceUse } from '../support/resource-use.ts';

const root = temporaryDirectory();

/** A run over that many batches, which all have their markers. */
async function publishOver(batches: number): Promise<ResourceUse> {
  // All within the day that can be taken in.
  await using buckets = await startHugeBuckets(batches, new Date(NOW.getTime() - HOUR_MS), 250);
  const options = {
    'ingestor-input': 'gs://ingestion',
    'own-validation-input': 'gs://own-validation',
    'peer-validation-input': 'gs://peer-validation',
    'task-queue-kind': 'local',
    'intake-tasks-topic': `${root()}/intake`,
    'aggregate-tasks-topic': `${root()}/aggregate`,
    'as-of': NOW.toISOString(),
  };
  const env = { STORAGE_EMULATOR_HOST: buckets.url };
  const ended = await run(WORKFLOW_MANAGER, argumentsOf(options), { node: TELLS_RESOURCE_USE, env });
  expect(ended).toMatchObject({ status: 0, signal: null });
  expect(buckets.listed()).toBeGreaterThanOrEqual(4 * batches);
  expect(logLines(ended.stderr).at(-1)).toMatchObject({
    ingestions_found: batches,
    intake_tasks_scheduled: 0,
    intake_tasks_skipped_due_to_marker: batches,
  });
  return resourceUse(ended);
}

it('lists a million objects in a memory that does not grow with them', async () => {
  const few = await publishOver(25_000);
  const many = await publishOver(250_000);
  process.stdout.write(
    `1,000,000 objects listed: ${(many.cpuMs / 1000).toFixed(1)} s CPU, ${many.peakMiB.toFixed(0)} MiB peak RSS; 100,000: ${few.peakMiB.toFixed(0)} MiB\n`,
  );
  expect(many.peakMiB).toBeLessThan(300);
  expect(many.peakMiB - few.peakMiB).toBeLessThan(60);
}, 120_000);
