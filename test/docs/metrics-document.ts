/** A metric of either program, as docs/metrics.md shows it. */
export interface DocumentedMetric {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  /** Of each label all values, or what they are. */
  readonly labels: Readonly<Record<string, readonly string[] | string>>;
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

export interface DocumentedMetrics {
  readonly facilitator: readonly DocumentedMetric[];
  readonly publisher: readonly DocumentedMetric[];
  /** Of the runtime, in the facilitator. */
  readonly runtime: readonly DocumentedMetric[];
}

/** The whole of docs/metrics.md, before prettier. */
export function metricsDocument({ facilitator, publisher, runtime }: DocumentedMetrics): string {
  return `# Metrics

<!-- Made from the code by test/docs/metrics.test.ts: change the catalogues or test/docs/metrics-document.ts, then run
npx vitest run test/docs -u -->

No label grows with batches, packets, tasks or pods. Names that the reference implementation has are kept, with their
meaning, for the dashboards and alerts that go by them.

## Endpoints

Every worker of \`facilitator\` serves HTTP on \`--metrics-scrape-port\` (8080), on all IPv4 addresses of its host.

| Request | Answer |
| --- | --- |
| \`GET /metrics\` | the metrics below, for Prometheus |
| \`GET /healthz\` | 200 while the process can do tasks, 503 once it cannot and has to be restarted; nothing outside of it counts |
| \`GET /readyz\` | 200 if the keys are loaded and the task queue can be reached, else 503; a line for each check, whose error is in the log; at most 5 s old |
| \`PUT /loglevel\` | sets the least severity to log to the body, e.g. \`debug\`, until the process ends; from loopback only, 403 to others |

\`\`\`sh
kubectl exec "$POD" -- node -e 'fetch("http://127.0.0.1:8080/loglevel", { method: "PUT", body: "debug" })'
kubectl port-forward "$POD" 8080 & curl -X PUT -d debug http://127.0.0.1:8080/loglevel
\`\`\`

## Facilitator

Commands other than workers count nothing. Counters begin at 0 with each process, and a series shows with its first
event.

${table(facilitator)}

### Labels

${labelTable(facilitator)}

### Buckets

${bucketTable(facilitator)}

### Runtime

Of Node and the operating system, by prom-client; on Linux.

${table(runtime)}

## Publisher

\`workflow-manager\` pushes these to \`--push-gateway\`, see [publisher.md](publisher.md#metrics).

${table(publisher)}

### Labels of the publisher

${labelTable(publisher)}
`;
}

function table(metrics: readonly DocumentedMetric[]): string {
  const rows = metrics.map(({ name, kind, help, labels }) => [code(name), kind, labelsOf(labels), help]);
  return rowsOf(['Metric', 'Type', 'Labels', 'Meaning'], rows);
}

/** Labels, those of few values with these. */
function labelsOf(labels: DocumentedMetric['labels']): string {
  return Object.entries(labels)
    .map(([name, values]) => (typeof values === 'string' ? code(name) : `${code(name)} (${values.join(', ')})`))
    .join(', ');
}

/** The labels of any values. @throws Error if metrics do not agree on what they are */
function labelTable(metrics: readonly DocumentedMetric[]): string {
  const meanings = new Map<string, string>();
  for (const [name, values] of metrics.flatMap(({ labels }) => Object.entries(labels))) {
    if (typeof values !== 'string') continue;
    if ((meanings.get(name) ?? values) !== values) throw new Error(`the label ${name} has two meanings`);
    meanings.set(name, values);
  }
  const rows = [...meanings].map(([name, meaning]) => [code(name), meaning]);
  return rowsOf(['Label', 'Values'], rows);
}

function bucketTable(metrics: readonly DocumentedMetric[]): string {
  const rows = metrics.flatMap(({ name, buckets }) => (buckets ? [[code(name), buckets.join(', ')]] : []));
  return rowsOf(['Histogram', 'Upper bounds'], rows);
}

function rowsOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
