import { format, resolveConfig } from 'prettier';
import * as promClient from 'prom-client';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../facilitator/metrics/catalogue.ts';
import { registerMetrics } from '../../facilitator/operations/prometheus.ts';
import { GAUGES } from '../../workflow-manager/gauges.ts';
import { REPOSITORY } from '../support/repository.ts';
import { cannotRun } from '../support/skip.ts';
import { metricsDocument, type DocumentedMetric } from './metrics-document.ts';

const PATH = `${REPOSITORY}docs/metrics.md`;

const isOurs = (name: string): boolean => name in METRICS;

/** What prom-client registers by itself, on this operating system. */
function runtimeMetrics(): DocumentedMetric[] {
  return registerMetrics(promClient)
    .registry.getMetricsAsArray()
    .filter(({ name }) => !isOurs(name))
    .map((metric) => ({
      name: metric.name,
      // Typed as an enum, which holds these words.
      kind: String(metric.type),
      help: metric.help.replace(/\.$/, ''),
      // Missing in its types.
      labels: Object.fromEntries(
        ((metric as { readonly labelNames?: readonly string[] }).labelNames ?? []).map((name) => [name, '']),
      ),
    }));
}

describe('docs/metrics.md', () => {
  it.skipIf(cannotRun(process.platform === 'linux', 'docs/metrics.md, which has the metrics of Linux'))(
    'lists every metric of both programs, as the code has them',
    async () => {
      const document = metricsDocument({
        facilitator: Object.entries(METRICS).map(([name, spec]) => ({ name, ...spec })),
        publisher: GAUGES.map((gauge) => ({ ...gauge, kind: 'gauge' })),
        runtime: runtimeMetrics(),
      });
      const options = await resolveConfig(PATH);
      await expect(await format(document, { ...options, filepath: PATH })).toMatchFileSnapshot(PATH);
    },
  );

  it('has no metric of ours under a name of the runtime', () => {
    const names = registerMetrics(promClient)
      .registry.getMetricsAsArray()
      .map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toEqual(expect.arrayContaining(Object.keys(METRICS)));
  });
});
