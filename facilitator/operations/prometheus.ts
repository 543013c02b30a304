import type * as PromClient from 'prom-client';
import { METRICS } from '../metrics/catalogue.ts';
import type { MetricSpec } from '../metrics/metric-spec.ts';
import type { MetricName, Metrics } from '../metrics/metrics.ts';

/** A page for Prometheus to scrape. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/** Metrics of this process, those of Node and the operating system included. */
export interface ScrapedMetrics extends Metrics {
  page(): Promise<MetricsPage>;
}

let loading: Promise<typeof PromClient> | undefined;
const promClient = (): Promise<typeof PromClient> => (loading ??= import('prom-client'));

/**
 * All metrics of the catalogue, and the default ones of prom-client. Each call makes new ones; a process needs one, as
 * the default ones watch it until it ends.
 */
export async function prometheusMetrics(): Promise<ScrapedMetrics> {
  const { metrics, registry } = registerMetrics(await promClient());
  return {
    ...metrics,
    page: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** @returns the registry too, for whoever wants to know what is in it */
export function registerMetrics(client: typeof PromClient): {
  readonly metrics: Metrics;
  readonly registry: PromClient.Registry;
} {
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  const counters = new Map<MetricName, PromClient.Counter>();
  const gauges = new Map<MetricName, PromClient.Gauge>();
  const histograms = new Map<MetricName, PromClient.Histogram>();
  // `Object.entries` forgets the keys' type.
  for (const [name, spec] of Object.entries(METRICS) as [MetricName, MetricSpec][]) {
    const common = { name, help: spec.help, labelNames: Object.keys(spec.labels), registers: [registry] };
    if (spec.kind === 'histogram') {
      histograms.set(name, new client.Histogram({ ...common, buckets: [...spec.buckets] }));
    } else if (spec.kind === 'counter') counters.set(name, new client.Counter(common));
    else gauges.set(name, new client.Gauge(common));
  }
  return {
    registry,
    // By their types, `Metrics` takes names of the catalogue only, each of its kind.
    metrics: {
      increment: (name, labels, by = 1) => counters.get(name)!.inc(labels, by),
      set: (name, labels, value) => gauges.get(name)!.set(labels, value),
      observe: (name, labels, value) => histograms.get(name)!.observe(labels, value),
    },
  };
}
