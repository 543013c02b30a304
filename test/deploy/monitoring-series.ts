import { METRICS } from '../../facilitator/metrics/catalogue.ts';
import type { MetricSpec } from '../../facilitator/metrics/metric-spec.ts';
import { GAUGES } from '../../workflow-manager/gauges.ts';
import { readText } from '../support/repository.ts';
import { tableUnder } from '../support/markdown.ts';
import { allExpressions } from './monitoring-rules.ts';

/** What can be asked of a metric. */
export interface Series {
  readonly isCounter: boolean;
  readonly labels: ReadonlySet<string>;
}

/** By deploy/kustomize/components/pod-monitor, and Prometheus itself. */
const OF_TARGETS = ['namespace', 'pod', 'container', 'app_kubernetes_io_name', 'app_kubernetes_io_instance'];
/** The grouping of the Pushgateway, which is scraped with honor_labels. */
const OF_GROUPS = ['job', 'locality', 'ingestor'];

/** Of clouds and Kubernetes; whoever uses another one has to look its labels up. */
const OF_OTHERS: Readonly<Record<string, { readonly isCounter: boolean; readonly labels: readonly string[] }>> = {
  // Cloud Monitoring, "Mapping to PromQL": pubsub.googleapis.com/subscription/num_undelivered_messages
  'pubsub_googleapis_com:subscription_num_undelivered_messages': {
    isCounter: false,
    labels: ['monitored_resource', 'project_id', 'subscription_id'],
  },
  // cloudwatch_exporter: AWS/SQS, ApproximateNumberOfMessagesVisible, statistic Maximum, dimension QueueName
  aws_sqs_approximate_number_of_messages_visible_maximum: { isCounter: false, labels: ['queue_name'] },
  // kube-state-metrics
  kube_pod_container_status_restarts_total: { isCounter: true, labels: ['namespace', 'pod', 'uid', 'container'] },
  kube_pod_container_status_waiting_reason: {
    isCounter: false,
    labels: ['namespace', 'pod', 'uid', 'container', 'reason'],
  },
  kube_pod_status_phase: { isCounter: false, labels: ['namespace', 'pod', 'uid', 'phase'] },
  // kubelet
  kubelet_volume_stats_used_bytes: { isCounter: false, labels: ['namespace', 'persistentvolumeclaim'] },
  kubelet_volume_stats_capacity_bytes: { isCounter: false, labels: ['namespace', 'persistentvolumeclaim'] },
};

/** All that there is, by the name of the series: histograms have three. */
export function knownSeries(): ReadonlyMap<string, Series> {
  const known = new Map<string, Series>();
  const add = (name: string, isCounter: boolean, labels: readonly string[]): void =>
    void known.set(name, { isCounter, labels: new Set(labels) });
  for (const [name, { kind, labels }] of Object.entries<MetricSpec>(METRICS)) {
    const all = [...Object.keys(labels), ...OF_TARGETS];
    if (kind !== 'histogram') add(name, kind === 'counter', all);
    else for (const part of ['bucket', 'sum', 'count']) add(`${name}_${part}`, true, [...all, 'le']);
  }
  // In the document as prom-client has them.
  for (const [name = '', kind, labels = ''] of tableUnder(readText('docs/metrics.md'), 'Runtime')) {
    add(
      name.replaceAll('`', ''),
      kind === 'counter',
      [...labels.matchAll(/`(\w+)`/g)].flatMap(([, label]) => label ?? []).concat(OF_TARGETS),
    );
  }
  for (const { name, labels } of GAUGES) add(name, false, [...Object.keys(labels), ...OF_GROUPS]);
  for (const [name, { isCounter, labels }] of Object.entries(OF_OTHERS)) add(name, isCounter, labels);
  for (const { name, expr } of allExpressions()) {
    const [, labels] = /^sum by \(([^)]*)\)/.exec(expr) ?? [];
    if (name.includes(':') && labels !== undefined) add(name, false, labels.split(', '));
  }
  return known;
}

const AGGREGATION = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const SELECTOR = /(?<![\w:$"])([a-z_][\w:]*)(\s*\(|\{[^}]*\})?(\[[^\]]*\])?/gi;
const WORD = /^(?:by|without|on|ignoring|group_left|group_right|and|or|unless|bool|offset)$/;
const ASKS_FOR_COUNTERS = /\b(?:rate|irate|increase)\($/;

/** What is wrong with an expression of PromQL: metrics and labels that do not exist, rates of gauges, counters as such. */
export function faultsOf(expr: string, known: ReadonlyMap<string, Series>): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  // Texts in label_join and the like are labels, or between them.
  const added = [...expr.matchAll(/label_(?:join|replace)\([\s\S]*?"(\w+)"/g)].flatMap(([, label]) => label ?? []);
  const bare = expr
    .replaceAll(/\{[^}]*\}|"[^"]*"/g, (text) => (text.startsWith('{') ? text : ''))
    .replaceAll(AGGREGATION, (text) => ' '.repeat(text.length));
  for (const match of bare.matchAll(SELECTOR)) {
    const [, name = '', matchers = '', range] = match;
    if (WORD.test(name) || matchers.endsWith('(')) continue;
    const series = known.get(name);
    if (!series) {
      faults.push(`there is no metric ${name}`);
      continue;
    }
    seen.add(name);
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (!series.labels.has(label)) faults.push(`${name} has no label ${label}`);
    }
    const isRate = ASKS_FOR_COUNTERS.test(bare.slice(0, match.index));
    if (isRate && !series.isCounter) faults.push(`${name} is no counter, of which a rate could be taken`);
    if (!isRate && series.isCounter && range === undefined) faults.push(`${name} is a counter: take its rate`);
  }
  if (seen.size === 0) faults.push('no metric is asked for');
  const labels = new Set([...added, ...[...seen].flatMap((name) => [...(known.get(name)?.labels ?? [])])]);
  for (const [, list = ''] of expr.matchAll(AGGREGATION)) {
    for (const label of list.split(',').map((text) => text.trim())) {
      if (!labels.has(label)) faults.push(`no metric of the expression has a label ${label}`);
    }
  }
  return faults;
}
