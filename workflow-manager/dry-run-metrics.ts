import type { MetricsGateway } from './metrics-gateway.ts';

/**
 * Pushes nothing: prints a line like `would push 3 metrics to http://gateway:9091 (grouping locality="a", ingestor="")`,
 * without line feed.
 */
export function dryRunMetrics(base: MetricsGateway, print: (line: string) => void): MetricsGateway {
  const { url, grouping } = base;
  const labels = Object.entries(grouping).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return {
    url,
    grouping,
    push: async (gauges, _mode, signal) => {
      signal?.throwIfAborted();
      print(`would push ${gauges.length} metrics to ${url} (grouping ${labels.join(', ')})`);
    },
  };
}
