/**
 * The values of a label: all that there are, or, where they come from the configuration or the data, a few words on
 * what they are. Never anything that there is more of with every batch, packet, task or pod.
 */
export type LabelSpec = readonly [string, ...string[]] | string;

interface CommonSpec {
  /** One sentence without full stop, for `# HELP` and docs/metrics.md. */
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelSpec>>;
}

/** What there is to know of a metric besides its name and its values. */
export type MetricSpec =
  | (CommonSpec & { readonly kind: 'counter' | 'gauge' })
  | (CommonSpec & {
      readonly kind: 'histogram';
      /** Upper bounds, ascending, in the unit of the metric. */
      readonly buckets: readonly number[];
    });
