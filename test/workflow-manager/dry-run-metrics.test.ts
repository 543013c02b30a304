import { expect, it } from 'vitest';
import { dryRunMetrics } from '../../workflow-manager/dry-run-metrics.ts';
import type { Gauge, MetricsGateway } from '../../workflow-manager/metrics-gateway.ts';

const GAUGES: readonly Gauge[] = ['one', 'two'].map((name) => ({ name, help: name, samples: [] }));

const base: MetricsGateway = {
  url: 'http://gateway:9091',
  grouping: { locality: 'us-ct', ingestor: 'a "b"\n' },
  push: () => Promise.reject(new Error('pushed')),
};

it('a dry run says what it would push, in one line, and pushes nothing', async () => {
  const lines: string[] = [];
  const gateway = dryRunMetrics(base, (line) => lines.push(line));
  await gateway.push(GAUGES, 'replace');
  expect(lines).toEqual([
    String.raw`would push 2 metrics to http://gateway:9091 (grouping locality="us-ct", ingestor="a \"b\"\n")`,
  ]);
  expect(gateway).toMatchObject({ url: base.url, grouping: base.grouping });
});

it('a dry run that is stopped says nothing', async () => {
  const lines: string[] = [];
  const reason = new Error('stopped');
  const pushing = dryRunMetrics(base, (line) => lines.push(line)).push(GAUGES, 'merge', AbortSignal.abort(reason));
  await expect(pushing).rejects.toBe(reason);
  expect(lines).toEqual([]);
});
