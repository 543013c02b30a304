import type { MetricName, Metrics } from '../../facilitator/metrics/metrics.ts';

/** What was reported: `name{label="value",…}`, labels in alphabetical order. */
export interface MemoryMetrics extends Metrics {
  /** Sums of counters, last values of gauges. */
  readonly values: ReadonlyMap<string, number>;
  /** Of histograms, in order. */
  readonly observed: ReadonlyMap<string, readonly number[]>;
  /** The values and observations of one metric. */
  of(name: MetricName): Readonly<Record<string, number | readonly number[]>>;
}

/** Metrics that are kept, to be looked at. */
export function memoryMetrics(): MemoryMetrics {
  const values = new Map<string, number>();
  const observed = new Map<string, number[]>();
  return {
    values,
    observed,
    increment: (name, labels, by = 1) => {
      const key = seriesOf(name, labels);
      values.set(key, (values.get(key) ?? 0) + by);
    },
    set: (name, labels, value) => void values.set(seriesOf(name, labels), value),
    observe: (name, labels, value) => {
      const key = seriesOf(name, labels);
      observed.set(key, [...(observed.get(key) ?? []), value]);
    },
    of: (name) => Object.fromEntries([...values, ...observed].filter(([key]) => key.startsWith(`${name}{`))),
  };
}

function seriesOf(name: string, labels: object): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${String(value)}"`);
  return `${name}{${pairs.join(',')}}`;
}
