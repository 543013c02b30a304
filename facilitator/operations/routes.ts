import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../common/runtime/log.ts';
import { isFromLoopback, setLogLevel } from './log-level.ts';
import type { MetricsPage } from './prometheus.ts';
import type { ReadinessProbe } from './readiness.ts';

/** Bytes; the longest level has eight letters. */
const MAX_BODY = 64;
const PLAIN_TEXT = 'text/plain; charset=utf-8';

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Default: plain text. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteSettings {
  /** The page for Prometheus. */
  readonly page: () => Promise<MetricsPage>;
  /** Whether whoever does the tasks still can; that the event loop can shows by its answering at all. */
  readonly isPoolAlive: () => boolean;
  readonly readiness: ReadinessProbe;
  readonly log: Logger;
}

type Handler = (request: IncomingMessage) => Answer | Promise<Answer>;

interface Route {
  /** With GET goes HEAD. */
  readonly method: 'GET' | 'PUT';
  readonly handle: Handler;
}

/** By path. */
type Routes = ReadonlyMap<string, Route>;

/** docs/metrics.md, "Endpoints". */
export function routesOf({ page, isPoolAlive, readiness, log }: RouteSettings): Routes {
  const metrics = async (): Promise<Answer> => {
    const { contentType, text } = await page();
    return { status: 200, text, headers: { 'content-type': contentType } };
  };
  const health = (): Answer => (isPoolAlive() ? ok('alive') : { status: 503, text: 'pool: not alive\n' });
  const ready = async (): Promise<Answer> => {
    const checks = [...(await readiness.ask())];
    return {
      status: checks.every(([, passed]) => passed) ? 200 : 503,
      // Why is in the log, not for everybody who can reach the port.
      text: checks.map(([name, passed]) => `${name}: ${passed ? 'ready' : 'not ready'}\n`).join('') || 'ready\n',
    };
  };
  return new Map<string, Route>([
    ['/metrics', { method: 'GET', handle: metrics }],
    ['/healthz', { method: 'GET', handle: health }],
    ['/readyz', { method: 'GET', handle: ready }],
    ['/loglevel', { method: 'PUT', handle: (request) => changeLogLevel(request, log) }],
  ]);
}

/** The answer to one request. */
export async function answer(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const { method = '', url = '' } = request;
  const path = url.split('?', 1)[0]!; // `split` gives at least one part
  const route = routes.get(path);
  if (!route) return { status: 404, text: `there are ${[...routes.keys()].join(', ')}\n` };
  if (route.method === (method === 'HEAD' ? 'GET' : method)) return route.handle(request);
  const allow = route.method === 'GET' ? 'GET, HEAD' : route.method;
  return { status: 405, text: `${path} takes ${allow}\n`, headers: { allow } };
}

/** The headers of an answer. */
export function headersOf({ headers }: Answer): Readonly<Record<string, string>> {
  return { 'content-type': PLAIN_TEXT, 'cache-control': 'no-store', ...headers };
}

async function changeLogLevel(request: IncomingMessage, log: Logger): Promise<Answer> {
  if (!isFromLoopback(request.socket.remoteAddress, request.headers)) {
    return { status: 403, text: 'the log level can be changed from this machine only, not by a proxy\n' };
  }
  const body = await shortBody(request);
  if (body === undefined) {
    return { status: 413, text: 'that is no log level; example: debug\n', headers: { connection: 'close' } };
  }
  const level = setLogLevel(log, body);
  return 'refused' in level
    ? { status: 400, text: `the log level ${level.refused}; example: debug\n` }
    : ok(`log level is ${level.value}`);
}

/** @returns `undefined` if it is too long */
async function shortBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Left undestroyed, it can still be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function ok(text: string): Answer {
  return { status: 200, text: `${text}\n` };
}
