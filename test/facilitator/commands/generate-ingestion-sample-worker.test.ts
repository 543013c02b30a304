import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleOptions, without, type CommandOptions } from '../../support/command-options.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { endAll, startFacilitator } from '../worker/worker-process.ts';

const root = temporaryDirectory();
afterEach(endAll);

const options = (): CommandOptions => ({
  ...without(sampleOptions(root()), 'batch-id', 'date'),
  'generation-interval': '1',
  'metrics-scrape-port': '0',
});

async function metricsOf(port: unknown): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

describe('generate-ingestion-sample-worker', () => {
  it('writes samples of batches of their own until SIGTERM, and counts them', async () => {
    const worker = startFacilitator('generate-ingestion-sample-worker', options());
    const samples = await worker.logged({ message: 'sample written' }, 2);
    expect(new Set(samples.map((line) => line['batch_id'])).size).toBe(2);
    const [served] = await worker.logged({ message: 'metrics and health are served' });
    expect(await metricsOf(served!['port'])).toMatch(
      /facilitator_samples_generated_total\{(?=.*aggregation_id="sample")(?=.*status="success").*\} [2-9]/,
    );
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-1)).toMatchObject({ message: 'worker stopped', reason: 'stopped by SIGTERM' });
    const written = worker.lines.filter(({ message }) => message === 'sample written').length;
    expect(filesIn(root())).toHaveLength(6 * written);
  });

  it('lives on when a storage fails, and counts that', async () => {
    const worker = startFacilitator('generate-ingestion-sample-worker', options());
    await worker.logged({ message: 'sample written' });
    // A file where a directory is needed refuses everybody.
    rmSync(`${root()}/pha`, { recursive: true });
    writeFileSync(`${root()}/pha`, '');
    await worker.logged({ severity: 'ERROR', message: 'work failed' });
    rmSync(`${root()}/pha`);
    const before = worker.lines.filter(({ message }) => message === 'sample written').length;
    await worker.logged({ message: 'sample written' }, before + 1);
    const [served] = await worker.logged({ message: 'metrics and health are served' });
    expect(await metricsOf(served!['port'])).toMatch(/facilitator_samples_generated_total\{.*status="error".*\} [1-9]/);
  });

  it('ends at its maximum lifetime with 0', async () => {
    const aged = { ...options(), 'generation-interval': '3600', 'worker-maximum-lifetime': '1' };
    const worker = startFacilitator('generate-ingestion-sample-worker', aged);
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-1)).toMatchObject({ reason: 'the maximum lifetime is reached' });
  });
});
