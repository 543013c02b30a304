/**
 * When an alert is to fire. Each case has series of its own, told apart by `CASE` in a label, all in one time line.
 * The names say what of: `firing`, `quiet`, `holes`, `zero`, with more words behind; only cases of `fires` do.
 */
export interface AlertCase {
  readonly alert: string;
  /** Between two samples; default 1m. */
  readonly interval?: string;
  readonly at: string;
  /** By case: series of promtool, by selector; a `_` is a missing sample. */
  readonly cases: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** With the description; each alert has these labels, besides its severity. */
  readonly fires: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A series of a worker of the case’s instance, whose name begins with `facilitator_`. */
export const worker = (name: string, labels = '', pod = 'p'): string =>
  `facilitator_${name}{namespace="CASE",pod="${pod}",app_kubernetes_io_instance="CASE-i"${labels && ','}${labels}}`;
