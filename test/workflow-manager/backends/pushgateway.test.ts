import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeError, UsageError } from '../../../common/errors.ts';
import { openPushgateway, type PushPatience } from '../../../workflow-manager/backends/pushgateway.ts';
import { dryRunMetrics } from '../../../workflow-manager/dry-run-metrics.ts';
import { MetricsUnavailable } from '../../../workflow-manager/errors.ts';
import type { Gauge, MetricsGateway } from '../../../workflow-manager/metrics-gateway.ts';
import { startPushgateway } from '../../services/pushgateway.ts';
import { freePort, withoutTools, type Service } from '../../services/service.ts';
import { startFaultProxy, type Fault } from '../../support/fault-proxy.ts';

const QUICK: PushPatience = { timeoutMs: 5000, retries: 2, pauseMs: 0 };
const HASTY: PushPatience = { timeoutMs: 50, retries: 1, pauseMs: 0 };

const gauge = (name: string, value: number): Gauge => ({
  name: `workflow_manager_${name}`,
  help: `The ${name}.`,
  samples: [{ labels: {}, value }],
});
const SUCCESS = [gauge('last_success_seconds', 1), gauge('runtime_seconds', 12.5)];
const FAILURE = [gauge('last_failure_seconds', 2)];

let localities = 0;
/** A gateway with a grouping of its own. */
const gatewayAt = (address: string, patience = QUICK): MetricsGateway =>
  openPushgateway({ address, locality: `locality-${++localities}`, ingestor: 'ingestor' }, patience);

/** What a Pushgateway has of one grouping: samples by metric, without its own. */
interface Group {
  readonly labels: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, readonly { labels: Record<string, string>; value: string }[]>>;
}

async function groupsAt(url: string): Promise<Group[]> {
  const { data } = (await (await fetch(`${url}/api/v1/metrics`)).json()) as {
    readonly data: readonly ({ readonly labels: Group['labels'] } & Readonly<
      Record<string, { readonly metrics?: Group['metrics'][string] }>
    >)[];
  };
  return data.map(({ labels, ...families }) => ({
    labels,
    metrics: Object.fromEntries(
      Object.entries(families).flatMap(([name, { metrics }]) =>
        name.startsWith('workflow_manager_') && metrics ? [[name, metrics]] : [],
      ),
    ),
  }));
}

/** The values that a Pushgateway has under the gateway's grouping, by metric. */
async function valuesAt(url: string, { grouping }: MetricsGateway): Promise<Record<string, unknown>> {
  const groups = await groupsAt(url);
  const metrics = groups.find(({ labels }) => labels['locality'] === grouping['locality'])?.metrics ?? {};
  return Object.fromEntries(
    Object.entries(metrics).map(([name, samples]) => [name, samples.map(({ value }) => value)]),
  );
}

describe.skipIf(withoutTools('tests of the Pushgateway', 'prometheus-pushgateway'))('at a Pushgateway', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startPushgateway();
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const TEXTS = ['us-ct', '', 'a/b', '/', '//', '.', '..', '../..', ' ', ' a ', 'Zürich', '漢字', '🍣', '%', '%2F'];
  const ODD_TEXTS = [...TEXTS, 'a%b', 'a+b', 'a?b', 'a#b', '=', 'YQ', 'a@base64', '"', '\\', '\n', '\0', 'a\tb', '{}'];

  it.each([
    ...ODD_TEXTS.map((text) => [text, 'ingestor']),
    ...ODD_TEXTS.map((text) => ['locality', text]),
    ['', ''],
    ['a/b', 'c/d'],
  ] as [string, string][])('the grouping (%j, %j) arrives as it is', async (locality, ingestor) => {
    await openPushgateway({ address: service.url, locality, ingestor }).push(SUCCESS, 'replace');
    const labels = { job: 'workflow-manager', locality, ingestor };
    expect((await groupsAt(service.url)).map((group) => group.labels)).toContainEqual(labels);
  });

  it('any grouping arrives as it is', async () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(texts, texts, async (locality, ingestor) => {
        await openPushgateway({ address: service.url, locality, ingestor }).push(SUCCESS, 'replace');
        const labels = { job: 'workflow-manager', locality, ingestor };
        expect((await groupsAt(service.url)).map((group) => group.labels)).toContainEqual(labels);
      }),
      { numRuns: 25 },
    );
  });

  it('Prometheus scrapes samples with their labels, and those of the grouping', async () => {
    const gateway = openPushgateway({ address: service.url, locality: 'scraped', ingestor: 'a/"b"' });
    const help = 'Batches\nthat "are" C:\\there.';
    const samples = [
      { labels: { aggregation_id: 'kittens' }, value: 3 },
      { labels: { aggregation_id: 'a "b"\\c\nd/é' }, value: 0.5 },
      { labels: { aggregation_id: 'x', other: 'y' }, value: 1_790_000_000.25 },
    ];
    const unknown: Gauge = { name: 'workflow_manager_unknown', help: 'Nothing is known.', samples: [] };
    await gateway.push([{ name: 'workflow_manager_scraped', help, samples }, unknown], 'replace');
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const common = String.raw`ingestor="a/\"b\"",instance="",job="workflow-manager",locality="scraped"`;
    expect(
      text
        .split('\n')
        .filter((line) => /workflow_manager_(?:scraped|unknown)\b/.test(line))
        .toSorted(),
    ).toEqual([
      String.raw`# HELP workflow_manager_scraped Batches\nthat "are" C:\\there.`,
      '# TYPE workflow_manager_scraped gauge',
      `workflow_manager_scraped{aggregation_id="a \\"b\\"\\\\c\\nd/é",${common}} 0.5`,
      `workflow_manager_scraped{aggregation_id="kittens",${common}} 3`,
      `workflow_manager_scraped{aggregation_id="x",${common},other="y"} 1.79000000025e+09`,
    ]);
  });

  it('what a success replaces is gone, what a failure merges leaves the last success where it is', async () => {
    const gateway = gatewayAt(service.url);
    await gateway.push(FAILURE, 'merge');
    await gateway.push(SUCCESS, 'replace');
    const success = { workflow_manager_last_success_seconds: ['1'], workflow_manager_runtime_seconds: ['12.5'] };
    expect(await valuesAt(service.url, gateway)).toEqual(success);
    await gateway.push(FAILURE, 'merge');
    await gateway.push([gauge('runtime_seconds', 7)], 'merge');
    expect(await valuesAt(service.url, gateway)).toEqual({
      ...success,
      workflow_manager_runtime_seconds: ['7'],
      workflow_manager_last_failure_seconds: ['2'],
    });
    await gateway.push([gauge('last_success_seconds', 3)], 'replace');
    expect(await valuesAt(service.url, gateway)).toEqual({ workflow_manager_last_success_seconds: ['3'] });
  });

  it('a push leaves other groupings alone', async () => {
    const [one, other] = [gatewayAt(service.url), gatewayAt(service.url)];
    await one.push(SUCCESS, 'replace');
    await other.push(FAILURE, 'replace');
    expect(Object.keys(await valuesAt(service.url, one))).toHaveLength(2);
  });

  it('a dry run pushes nothing', async () => {
    const gateway = gatewayAt(service.url);
    const lines: string[] = [];
    await dryRunMetrics(gateway, (line) => lines.push(line)).push(SUCCESS, 'replace');
    expect(await valuesAt(service.url, gateway)).toEqual({});
    expect(lines).toHaveLength(1);
  });

  it('metrics that the gateway refuses are pushed once, and its reason is told', async () => {
    // The gateway has a summary of that name itself.
    const refused: Gauge = { name: 'go_gc_duration_seconds', help: 'x', samples: [{ labels: {}, value: 1 }] };
    await using proxy = await startFaultProxy(service.url, () => undefined);
    const pushing = gatewayAt(proxy.url).push([refused], 'replace');
    await expect(pushing).rejects.toThrow(MetricsUnavailable);
    expect(describeError(await pushing.catch((err: unknown) => err))).toMatch(/push failed with status 400, .*go_gc/);
    expect(proxy.requests).toHaveLength(1);
  });

  it.each<readonly [unknown, PushPatience]>([
    [{ status: 503 }, QUICK],
    [{ status: 500, body: 'oops' }, QUICK],
    [{ status: 429 }, QUICK],
    ['reset', QUICK],
    ['reset-after', QUICK],
    ['reset-in-body', QUICK],
    ['timeout', { ...QUICK, timeoutMs: 300 }],
  ])('%j passes with patience, and the metrics are there', async (fault, patience) => {
    // As in `Fault`; `it.each` cannot take a union with objects of different keys.
    await using proxy = await startFaultProxy(service.url, ({ n }) => (n < 3 ? (fault as Fault) : undefined));
    const gateway = gatewayAt(proxy.url, patience);
    await gateway.push(SUCCESS, 'merge');
    expect(proxy.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
    expect(Object.keys(await valuesAt(service.url, gateway))).toHaveLength(2);
  });
});

describe('what answers otherwise', () => {
  const asked: string[] = [];
  let listener: RequestListener;
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization ?? ''}`.trim());
    incoming.resume().once('end', () => listener(incoming, outgoing));
  });
  let host: string;
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // It listens on a port.
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked.length = 0;
    listener = (_, outgoing) => void outgoing.end();
  });
  afterEach(() => server.closeAllConnections());
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const failing = (gateway: MetricsGateway): Promise<unknown> =>
    gateway.push(SUCCESS, 'replace').then(
      () => expect.unreachable('pushed'),
      (err: unknown) => err,
    );

  it('an address that is none opens nothing', () => {
    expect(() => openPushgateway({ address: 'ftp://x', locality: '', ingestor: '' })).toThrow(UsageError);
  });

  it('nobody there is E_METRICS, after all attempts', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const failure = await failing(gatewayAt(url));
    expect(failure).toMatchObject({ code: 'E_METRICS', fate: 'retry' });
    expect(describeError(failure)).toMatch(
      /^metrics could not be pushed to http:\/\/127\.0\.0\.1:\d+, job workflow-manager; .*: connect ECONNREFUSED/,
    );
  });

  it.each([
    [503, 3],
    [500, 3],
    [429, 3],
    [400, 1],
    [401, 1],
    [404, 1],
    [301, 1],
    [204, 1],
  ])('status %d is E_METRICS, after %d attempts', async (status, attempts) => {
    listener = (_, outgoing) => void outgoing.writeHead(status, { location: `http://${host}/elsewhere` }).end();
    const failure = await failing(gatewayAt(host));
    expect(failure).toBeInstanceOf(MetricsUnavailable);
    expect(describeError(failure)).toContain(`push failed with status ${status}`);
    expect(asked).toHaveLength(attempts);
  });

  it('of a long answer only the beginning is told', async () => {
    listener = (_, outgoing) => void outgoing.writeHead(403).end('x'.repeat(100_000));
    expect(describeError(await failing(gatewayAt(host))).length).toBeLessThan(1000);
  });

  it.each<[string, RequestListener]>([
    ['that never comes', () => {}],
    ['without an end', (_, outgoing) => void outgoing.write('x')],
    [
      'that is cut short',
      (_, outgoing) => void outgoing.writeHead(200, { 'content-length': 9 }).write('x', () => outgoing.destroy()),
    ],
  ])('an answer %s is waited for no longer than the limit', async (_, answer) => {
    listener = answer;
    const failure = await failing(gatewayAt(host, HASTY));
    expect(failure).toBeInstanceOf(MetricsUnavailable);
    expect(describeError(failure)).toMatch(/: no answer within 50 ms$/);
    expect(asked).toHaveLength(2);
  });

  it('credentials are sent, below a path too, and told nowhere', async () => {
    const gateway = gatewayAt(`http://me:s3cret%2F%40@${host}/push/`);
    await gateway.push(SUCCESS, 'replace');
    const authorization = `Basic ${Buffer.from('me:s3cret/@').toString('base64')}`;
    expect(asked).toEqual([expect.stringMatching(/^PUT \/push\/metrics\/job\/workflow-manager\/locality%40base64\//)]);
    expect(asked[0]).toContain(` ${authorization}`);
    listener = (_, outgoing) => void outgoing.writeHead(401).end('who?');
    const failure = await failing(gateway);
    expect(gateway.url).toBe(`http://${host}/push`);
    expect(describeError(failure)).toContain('status 401, who?');
    expect(`${describeError(failure)} ${JSON.stringify(failure)} ${JSON.stringify(gateway)}`).not.toContain('s3cret');
  });

  it('a push that is stopped rejects with the reason, before it begins, while it waits, and between attempts', async () => {
    const reason = new Error('stopped');
    const before = gatewayAt(host).push(SUCCESS, 'replace', AbortSignal.abort(reason));
    await expect(before).rejects.toBe(reason);
    expect(asked).toEqual([]);

    const waiting = new AbortController();
    listener = () => waiting.abort(reason);
    await expect(gatewayAt(host).push(SUCCESS, 'replace', waiting.signal)).rejects.toBe(reason);
    expect(asked).toHaveLength(1);

    const between = new AbortController();
    listener = (_, outgoing) => void outgoing.writeHead(503).end(() => setImmediate(() => between.abort(reason)));
    const patience = { ...QUICK, pauseMs: 60_000 };
    await expect(gatewayAt(host, patience).push(SUCCESS, 'replace', between.signal)).rejects.toBe(reason);
    expect(asked).toHaveLength(2);
  });
});
