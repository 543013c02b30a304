/** A metric whose value can go up and down: what a run found or did. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  /** One for each set of labels; without samples nothing is known, and nothing pushed. */
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/**
 * What becomes of the metrics that were pushed before under the same grouping: `replace` drops them all, `merge` drops
 * those whose names are pushed again.
 */
export type PushMode = 'replace' | 'merge';

/** Where a program that runs for a moment leaves its metrics for Prometheus to scrape. */
export interface MetricsGateway {
  /** For logs and errors, never with credentials. */
  readonly url: string;

  /** Labels that tell our metrics from others' at the gateway; every sample gets them there. */
  readonly grouping: Readonly<Record<string, string>>;

  /**
   * Pushes once, repeating what fails for a moment.
   * @param signal aborts: it rejects with the signal's reason, and may have pushed or not
   * @throws MetricsUnavailable
   */
  push(gauges: readonly Gauge[], mode: PushMode, signal?: AbortSignal): Promise<void>;
}
