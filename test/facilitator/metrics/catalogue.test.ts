import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../facilitator/metrics/catalogue.ts';
import type { MetricSpec } from '../../../facilitator/metrics/metric-spec.ts';
import { noMetrics } from '../../../facilitator/metrics/metrics.ts';
import { GAUGES } from '../../../workflow-manager/gauges.ts';

const metrics: readonly (MetricSpec & { readonly name: string })[] = Object.entries(METRICS).map(([name, spec]) => ({
  name,
  ...spec,
}));
const all = [...metrics, ...GAUGES];

describe('the metrics of both programs', () => {
  it('have names of their own', () => {
    const names = all.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(all)('include $name, whose name, labels and help Prometheus takes', ({ name, labels, help }) => {
    expect(name).toMatch(/^[a-z_]+$/);
    for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z][a-z_]*$/);
    expect(help).toMatch(/^[A-Z].*[^.]$/);
  });

  it.each(all)('include $name, which does not grow with batches or pods', ({ labels }) => {
    const growing = /batch|packet|uuid|pod|host|task_id|trace|worker|window|time|object|path|url/;
    expect(Object.keys(labels).filter((label) => growing.test(label))).toEqual([]);
  });
});

describe('the catalogue', () => {
  it.each(metrics)('gives $name values and buckets in order', (metric) => {
    for (const values of Object.values(metric.labels)) {
      if (typeof values !== 'string') expect(values).toEqual([...new Set(values)]);
    }
    if (metric.kind === 'histogram') expect(metric.buckets).toEqual([...new Set(metric.buckets)].sort((a, b) => a - b));
  });

  it('calls what counts up as Prometheus would, unless the reference named it', () => {
    const theirs = /^facilitator_(?:intake|aggregate|invalid)_|^sample_generator_/;
    const counters = metrics.filter(({ kind, name }) => kind === 'counter' && !theirs.test(name));
    expect(counters.map(({ name }) => name).filter((name) => !name.endsWith('_total'))).toEqual([]);
  });

  it('is what the compiler goes by', () => {
    noMetrics.increment('facilitator_redeliveries_total', { task: 'intake' });
    // @ts-expect-error: misspelt name
    noMetrics.increment('facilitator_redelivery_total', { task: 'intake' });
    // @ts-expect-error: another kind
    noMetrics.set('facilitator_redeliveries_total', { task: 'intake' }, 1);
    // @ts-expect-error: misspelt label
    noMetrics.increment('facilitator_redeliveries_total', { tusk: 'intake' });
    // @ts-expect-error: missing label
    noMetrics.increment('facilitator_lease_extensions_total', { task: 'intake' });
    // @ts-expect-error: one label too many
    noMetrics.increment('facilitator_redeliveries_total', { task: 'intake', batch: 'a' });
    // @ts-expect-error: no such value
    noMetrics.increment('facilitator_lease_extensions_total', { task: 'intake', result: 'successful' });
    noMetrics.observe('facilitator_task_attempts', { task: 'intake', outcome: 'ack' }, 1);
  });
});
