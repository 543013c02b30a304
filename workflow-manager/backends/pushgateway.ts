import { IncomingMessage } from 'node:http';
import pRetry from 'p-retry';
import type * as PromClient from 'prom-client';
import { MetricsUnavailable } from '../errors.ts';
import type { Gauge, MetricsGateway, PushMode } from '../metrics-gateway.ts';
import { parseGatewayAddress } from './gateway-address.ts';
import { withinLimit } from './within-limit.ts';

/** The reference's. */
const JOB = 'workflow-manager';

export interface PushgatewaySettings {
  /** As `parseGatewayAddress` reads it. */
  readonly address: string;
  /** Values of the grouping labels of these names; any text, also none. */
  readonly locality: string;
  readonly ingestor: string;
}

/** How long to try. */
export interface PushPatience {
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Further attempts after the first. */
  readonly retries: number;
  /** Before the first repetition, up to twice as long by chance; doubled with each. */
  readonly pauseMs: number;
}

/** Half a minute at most: a run whose work is done does not wait long for its metrics. */
const PATIENCE: PushPatience = { timeoutMs: 5000, retries: 3, pauseMs: 500 };

let loading: Promise<typeof PromClient> | undefined;
const promClient = (): Promise<typeof PromClient> => (loading ??= import('prom-client'));

/**
 * Prometheus' Pushgateway. `replace` is its PUT, `merge` its POST.
 * https://github.com/prometheus/pushgateway, "API"
 * @throws UsageError for an address that is none
 */
export function openPushgateway(
  { address, locality, ingestor }: PushgatewaySettings,
  patience: PushPatience = PATIENCE,
): MetricsGateway {
  const { url, credentials } = parseGatewayAddress(address);
  const grouping = { locality, ingestor };

  return {
    url,
    grouping,
    push: async (gauges, mode, signal) => {
      signal?.throwIfAborted();
      const client = await promClient();
      const registry = registryOf(gauges, client);
      const attempt = (): Promise<void> =>
        withinLimit(patience.timeoutMs, signal, (limit) => {
          const options = { auth: credentials, agent: false, signal: limit };
          return pushOnce(new client.Pushgateway(url, options, registry), mode, encodedGrouping(grouping));
        });
      try {
        await pRetry(attempt, {
          retries: patience.retries,
          minTimeout: patience.pauseMs,
          randomize: true,
          signal,
          shouldRetry: ({ error }) => mayPass(error),
        });
      } catch (cause) {
        signal?.throwIfAborted();
        throw new MetricsUnavailable(
          `metrics could not be pushed to ${url}, job ${JOB}; is that a Pushgateway, and does it let us in?`,
          { cause: shortened(cause) },
        );
      }
    },
  };
}

function registryOf(gauges: readonly Gauge[], client: typeof PromClient): PromClient.Registry {
  const registry = new client.Registry();
  for (const { name, help, samples } of gauges) {
    // The library would make up a sample of 0.
    if (samples.length === 0) continue;
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const gauge = new client.Gauge({ name, help, labelNames, registers: [registry] });
    for (const { labels, value } of samples) gauge.set(labels, value);
  }
  return registry;
}

/**
 * The library writes the values into the path of a URL, percent-encoded, which the gateway decodes before it splits the
 * path: it would take `a/b` apart, and refuse an empty value. What it offers for these is `name@base64`, RFC 4648 §5,
 * with `=` for no text. As that is right for any text, it is always used.
 */
function encodedGrouping(grouping: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(grouping).map(([name, value]) => [
      `${name}@base64`,
      value === '' ? '=' : Buffer.from(value).toString('base64url'),
    ]),
  );
}

type Gateway = PromClient.Pushgateway<PromClient.PrometheusContentType>;

async function pushOnce(gateway: Gateway, mode: PushMode, groupings: Record<string, string>): Promise<void> {
  const target = { jobName: JOB, groupings };
  const { resp } = await (mode === 'replace' ? gateway.push(target) : gateway.pushAdd(target));
  // The library takes redirections for success, which it does not follow.
  const status = resp instanceof IncomingMessage ? resp.statusCode : undefined;
  if (status !== 200 && status !== 202) throw new Error(`push failed with status ${status}`);
}

/** Whether a repetition may help: no answer at all, too many requests, or trouble at the gateway. */
function mayPass(error: Error): boolean {
  // The library tells the status in the message only.
  const status = /^push failed with status (\d+)/.exec(error.message)?.[1];
  return status === undefined || Number(status) >= 500 || status === '429';
}

const SHOWN_CHARACTERS = 500;

/** The library's message has the whole answer, which may be a page of whatever is at that address. */
function shortened(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause.message.length <= SHOWN_CHARACTERS) return cause;
  return new Error(`${cause.message.slice(0, SHOWN_CHARACTERS)}…`);
}
