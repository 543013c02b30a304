import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../../common/backends/storage/open.ts';
import { encodeAggregateTask } from '../../../common/domain/task.ts';
import { validateSampleTasks } from '../../../facilitator/commands/validate-ingestion-sample-worker.ts';
import type { ValidationSetup } from '../../../facilitator/sample/validate.ts';
import type { TaskResult } from '../../../facilitator/worker/task-result.ts';
import { settleTask } from '../../../facilitator/worker/settle.ts';
import { commandLine, without, type CommandOptions } from '../../support/command-options.ts';
import { memoryLogger, type MemoryLog } from '../../support/memory-log.ts';
import { memoryMetrics } from '../../support/memory-metrics.ts';
import { runFacilitator } from '../../support/run-facilitator.ts';
import { serverKeys } from '../../support/servers.ts';
import { temporaryDirectory } from '../../support/temp-directory.ts';
import { PACKETS, publishSums, TASK, validationSetup } from '../sample/sample-sums.ts';
import { DeliveryDouble } from '../worker/queue-double.ts';
import { NEVER, settleSetup } from '../worker/setup.ts';
import { endAll, publish, startFacilitator } from '../worker/worker-process.ts';

const NOW = new Date('2026-11-21T10:00:00Z');
const DELAY_MS = 600_000;
const MESSAGE = encodeAggregateTask({ ...TASK, batches: [] });

let setup: ValidationSetup;
let log: MemoryLog;
let results: TaskResult[];
beforeEach(() => {
  setup = validationSetup();
  log = memoryLogger();
  results = [];
});

const metrics = memoryMetrics();
const kindWith = (sumPartDelayMs: number): ReturnType<typeof validateSampleTasks> =>
  validateSampleTasks(setup, { sumPartDelayMs, clock: () => NOW, metrics });

/** What becomes of a task that was published so long ago. */
async function settle(ageMs: number | undefined, sumPartDelayMs = DELAY_MS, stop = NEVER): Promise<readonly string[]> {
  const delivery = Object.assign(new DeliveryDouble(MESSAGE), {
    publishedAt: ageMs === undefined ? undefined : new Date(NOW.getTime() - ageMs),
  });
  const sink = { url: 'memory:', write: async (result: TaskResult) => void results.push(result) };
  await settleTask(delivery, kindWith(sumPartDelayMs), settleSetup({ log: log.log, results: sink }), stop);
  return delivery.calls;
}

describe('a task to look at the sum of samples', () => {
  it('is done if the sum is right', async () => {
    await publishSums(setup);
    expect(await settle(DELAY_MS)).toEqual(['ack']);
    expect(log.lines.at(-1)).toMatchObject({ task_kind: 'validate-sample', outcome: 'ack', batches: 2, packets: 14 });
  });

  it('is rejected if it is wrong, with a metric, a line of the log and a failed result', async () => {
    await publishSums(setup, [{ sum: Array<number>(20).fill(0) }]);
    expect(await settle(DELAY_MS)).toEqual(['reject']);
    expect(metrics.of('sample_generator_mismatched_sum_count')).toEqual({
      'sample_generator_mismatched_sum_count{aggregation_id="agg",instance_name="test"}': 1,
    });
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        severity: 'ERROR',
        message: 'the sum of samples is not what it has to be',
        error_code: 'E_SAMPLE_MISMATCH',
      }),
    );
    expect(results).toMatchObject([{ outcome: 'reject', failure: { code: 'E_SAMPLE_MISMATCH' } }]);
  });

  it('is given back if a sum part is missing though it should be there', async () => {
    expect(await settle(DELAY_MS)).toEqual(['nack']);
    expect(log.lines.at(-1)).toMatchObject({ error_code: 'E_OBJECT_MISSING' });
  });

  it('waits for what is left of the delay', async () => {
    await publishSums(setup);
    expect(await settle(DELAY_MS - 20)).toEqual(['ack']);
  });

  it.each([
    ['was published just now', 0],
    ['may have been published at any time', undefined],
    ['was published by a clock that is ahead', -DELAY_MS],
  ])('waits for the whole delay if it %s', async (_, ageMs) => {
    await publishSums(setup);
    expect(await settle(ageMs, 20)).toEqual(['ack']);
    // It did not end at once, as it was still waiting when it was told to stop.
    const stop = new AbortController();
    const settled = settle(ageMs, DELAY_MS, stop.signal);
    setImmediate(() => stop.abort(new Error('enough')));
    expect(await settled).toEqual(['nack']);
  });
});

describe('validate-ingestion-sample-worker', () => {
  const root = temporaryDirectory();
  afterEach(endAll);

  const options: CommandOptions = {
    'task-queue-kind': 'local',
    'task-queue-name': '/nowhere/tasks',
    'instance-name': 'test',
    'packet-count': '10',
    'pha-output': '/nowhere/pha',
    'facilitator-output': '/nowhere/facilitator',
    'pha-manifest-base-url': 'https://pha.example',
    'facilitator-public-key': 's3cr3t',
    'facilitator-public-key-identifier': 'key',
  };

  it('looks at the sums that its queue names, with the keys and storages of its options', async () => {
    const given: Record<string, string> = {};
    for (const [server, party] of (['pha', 'facilitator'] as const).entries()) {
      // There is a key for each server.
      const { identifier, publicKey } = serverKeys[server]!;
      given[`${party}-public-key`] = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      given[`${party}-public-key-identifier`] = identifier;
      given[`${party}-output`] = `${root()}/${party}`;
      setup = { ...setup, [party]: { ...setup[party], storage: openStorage(`${root()}/${party}`) } };
    }
    await publishSums(setup);
    await publish(root(), [MESSAGE, MESSAGE.replace('"agg"', '"none"')]);
    const worker = startFacilitator('validate-ingestion-sample-worker', {
      ...without(options, 'pha-manifest-base-url'),
      ...given,
      'task-queue-name': `${root()}/tasks`,
      'metrics-scrape-port': '0',
      'packet-count': String(PACKETS),
      'sum-part-delay': '0',
      'max-tasks-per-worker': '2',
    });
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    const outcomes = worker.lines.filter(({ message }) => message === 'task finished').map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(['ack', 'nack']));
  });

  it.each<[string, CommandOptions, string]>([
    ['a key without its name', { 'pha-public-key': 's3cr3t' }, 'missing --pha-public-key-identifier, as --pha-public-'],
    ['a delay beyond the time-out', { 'sum-part-delay': '3h' }, '--sum-part-delay is not shorter than --task-timeout'],
  ])('refuses %s', async (_, changes, message) => {
    const { status, stderr } = await runFacilitator(
      commandLine('validate-ingestion-sample-worker', { ...options, ...changes }),
    );
    expect({ status, stderr }).toMatchObject({ status: 64, stderr: expect.stringContaining(message) as unknown });
    expect(stderr).not.toContain('s3cr3t');
  });

  it('names a key that cannot be read, not its text', async () => {
    const { status, stderr } = await runFacilitator(commandLine('validate-ingestion-sample-worker', options));
    expect(status).not.toBe(0);
    expect(stderr).toContain('--facilitator-public-key');
    expect(stderr).not.toContain('s3cr3t');
  });
});
