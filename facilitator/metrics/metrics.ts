import type { METRICS } from './catalogue.ts';
import type { MetricSpec } from './metric-spec.ts';

type Catalogue = typeof METRICS;

type NameOf<K extends MetricSpec['kind']> = {
  [N in keyof Catalogue]: Catalogue[N] extends { readonly kind: K } ? N : never;
}[keyof Catalogue];

export type MetricName = keyof Catalogue;
export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type HistogramName = NameOf<'histogram'>;

type Values<L> = L extends readonly (infer V extends string)[] ? V : string;

/** A value for each label of the metric, one of those that the catalogue lists where it does. */
export type LabelsOf<N extends MetricName> = {
  readonly [L in keyof Catalogue[N]['labels']]: Values<Catalogue[N]['labels'][L]>;
};

/** Where what happens is counted, by the names of the catalogue. Nothing here throws or takes time worth mentioning. */
export interface Metrics {
  /** @param by not negative; default 1 */
  increment<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): void;
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, value: number): void;
}

/** For whoever does not count, as commands that do one thing and end. */
export const noMetrics: Metrics = {
  increment: () => {},
  set: () => {},
  observe: () => {},
};
