import { once } from 'node:events';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigurationInvalid, QueueUnavailable } from '../../../common/errors.ts';
import { METRICS } from '../../../facilitator/metrics/catalogue.ts';
import { prometheusMetrics } from '../../../facilitator/operations/prometheus.ts';
import {
  startOperations,
  type OperationsServer,
  type OperationsSettings,
} from '../../../facilitator/operations/server.ts';
import { memoryLogger } from '../../support/memory-log.ts';

const servers: OperationsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

const { log, lines } = memoryLogger('info');

async function start(changes: Partial<OperationsSettings> = {}): Promise<OperationsServer> {
  const server = await startOperations({
    port: 0,
    host: '127.0.0.1',
    metrics: { page: async () => ({ contentType: 'text/plain', text: 'metrics\n' }) },
    isPoolAlive: () => true,
    readiness: {},
    clock: () => new Date(0),
    log,
    ...changes,
  });
  servers.push(server);
  return server;
}

interface Got {
  readonly status: number | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

async function ask({ port }: OperationsServer, method: string, path: string, body = '', headers = {}): Promise<Got> {
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  asked.end(body);
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** A sample of the text format: name, labels, value. */
const SAMPLE =
  /^[a-z_][a-z0-9_]*(?:\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? (?:[-+\d.e]+|nan)$/i;

describe('GET /metrics', () => {
  it('is a page in the text format that has every metric, with what was counted', async () => {
    const metrics = await prometheusMetrics();
    const server = await start({ metrics });
    metrics.increment('facilitator_intake_tasks_started', { aggregation_id: 'kittens "seen"\\\n' });
    metrics.increment('facilitator_intake_bytes_processed', { aggregation_id: 'a' }, 1500);
    metrics.set('facilitator_aggregate_packets_per_batch', { aggregation_id: 'a' }, 3);
    const api = { service: 's3.amazonaws.com', endpoint: 'get', status: 'success' } as const;
    for (const ms of [100, 101, 60_000]) metrics.observe('facilitator_api_latency_ms', api, ms);

    const { status, headers, body } = await ask(server, 'GET', '/metrics?x=1');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(samples.filter((line) => !SAMPLE.test(line))).toEqual([]);
    for (const [name, { kind, help }] of Object.entries(METRICS)) {
      expect(body).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
    }
    const labels = 'service="s3.amazonaws.com",endpoint="get",status="success"';
    expect(samples).toEqual(
      expect.arrayContaining([
        'facilitator_intake_tasks_started{aggregation_id="kittens \\"seen\\"\\\\\\n"} 1',
        'facilitator_intake_bytes_processed{aggregation_id="a"} 1500',
        'facilitator_aggregate_packets_per_batch{aggregation_id="a"} 3',
        `facilitator_api_latency_ms_bucket{le="100",${labels}} 1`,
        `facilitator_api_latency_ms_bucket{le="250",${labels}} 2`,
        `facilitator_api_latency_ms_bucket{le="45000",${labels}} 2`,
        `facilitator_api_latency_ms_bucket{le="+Inf",${labels}} 3`,
        `facilitator_api_latency_ms_count{${labels}} 3`,
      ]),
    );
    expect(body).toContain('\nprocess_resident_memory_bytes ');
    expect(body).toContain('\nnodejs_eventloop_lag_seconds ');
  });

  it('is 500 without a reason if the page cannot be made, and the reason is in the log', async () => {
    const server = await start({ metrics: { page: () => Promise.reject(new Error('collector broke')) } });
    const { status, body } = await ask(server, 'GET', '/metrics');
    expect({ status, body }).toEqual({ status: 500, body: 'failed; see the log\n' });
    expect(lines.at(-1)).toMatchObject({ severity: 'ERROR', path: '/metrics', error: 'collector broke' });
  });
});

describe('GET /healthz', () => {
  it.each([
    [true, 200],
    [false, 503],
  ])('where the pool is alive: %s, is %i, whatever is not ready', async (isAlive, status) => {
    const server = await start({ isPoolAlive: () => isAlive, readiness: { queue: () => Promise.reject(new Error()) } });
    expect((await ask(server, 'GET', '/healthz')).status).toBe(status);
  });

  it('answers HEAD without a body', async () => {
    expect(await ask(await start(), 'HEAD', '/healthz')).toMatchObject({ status: 200, body: '' });
  });
});

describe('GET /readyz', () => {
  it('is 200 if all checks pass', async () => {
    const server = await start({ readiness: { keys: () => {}, queue: async () => {} } });
    expect(await ask(server, 'GET', '/readyz')).toMatchObject({ status: 200, body: 'keys: ready\nqueue: ready\n' });
  });

  it('is 503 if one does not, and says which, but not why', async () => {
    const queue = (): Promise<void> => Promise.reject(new QueueUnavailable('no connection to 10.1.2.3'));
    const server = await start({ readiness: { keys: () => {}, queue } });
    expect(await ask(server, 'GET', '/readyz')).toMatchObject({ status: 503, body: 'keys: ready\nqueue: not ready\n' });
  });
});

describe('PUT /loglevel', () => {
  it('changes the log level from loopback', async () => {
    const program = memoryLogger('info');
    const server = await start({ log: program.log });
    expect(await ask(server, 'PUT', '/loglevel', 'debug\n')).toMatchObject({
      status: 200,
      body: 'log level is debug\n',
    });
    expect(program.log.level).toBe('debug');
  });

  it.each([
    ['a level that is none', 'loud', {}, 400],
    ['no level', '', {}, 400],
    ['too much', 'x'.repeat(100_000), {}, 413],
    ['a proxy', 'debug', { 'x-forwarded-for': '10.0.0.1' }, 403],
  ])('refuses %s', async (_, body, headers, status) => {
    const program = memoryLogger('info');
    const server = await start({ log: program.log });
    expect((await ask(server, 'PUT', '/loglevel', body, headers)).status).toBe(status);
    expect(program.log.level).toBe('info');
  });
});

describe('other requests', () => {
  it.each([
    ['GET', '/', 404, undefined],
    ['GET', '/metrics/', 404, undefined],
    ['GET', '/constructor', 404, undefined],
    ['POST', '/metrics', 405, 'GET, HEAD'],
    ['DELETE', '/readyz', 405, 'GET, HEAD'],
    ['GET', '/loglevel', 405, 'PUT'],
    ['POST', '/loglevel', 405, 'PUT'],
  ])('%s %s gives %i', async (method, path, status, allow) => {
    const got = await ask(await start(), method, path);
    expect([got.status, got.headers['allow']]).toEqual([status, allow]);
  });

  it('of those who go away half-way, or speak no HTTP, do no harm', async () => {
    const server = await start();
    for (const sent of ['PUT /loglevel HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nde', 'hello\r\n\r\n']) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume().end(sent);
      await once(socket, 'close');
    }
    expect((await ask(server, 'GET', '/healthz')).status).toBe(200);
  });
});

describe('the server', () => {
  it('that finds its port in use says which option to change', async () => {
    const { port } = await start();
    const second = start({ port });
    await expect(second).rejects.toThrow(ConfigurationInvalid);
    await expect(second).rejects.toThrow(`--metrics-scrape-port: cannot listen on port ${port} of 127.0.0.1`);
    await expect(second).rejects.toMatchObject({ cause: { code: 'EADDRINUSE' } });
  });

  it('logs the port it got', async () => {
    const { port } = await start();
    expect(lines.at(-1)).toMatchObject({ port, host: '127.0.0.1', message: 'metrics and health are served' });
  });

  it('ends at once, with a connection open and an answer under way', async () => {
    let begin = (): void => {};
    const began = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const page = (): Promise<never> => {
      begin();
      return new Promise(() => {});
    };
    const server = await start({ metrics: { page } });
    const asked = request({ host: '127.0.0.1', port: server.port, path: '/metrics' }).end();
    const failed = once(asked, 'error');
    await began;
    await servers.pop()?.[Symbol.asyncDispose]();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
    await expect(ask(server, 'GET', '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
