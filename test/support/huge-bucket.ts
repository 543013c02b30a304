import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { MINUTE_MS } from '../../common/domain/interval.ts';
import { intakeMarker } from '../../common/domain/marker.ts';
import { batchAt, objectsOf } from './publisher.ts';

/** A Google Cloud Storage of as many objects as no stand-in can hold: their names are computed, not kept. */
export interface HugeBuckets extends AsyncDisposable {
  readonly url: string;
  /** Names listed so far. */
  readonly listed: () => number;
}

const PAGE = 1000;

/** What a bucket holds, by index, in ascending order. */
interface Names {
  readonly count: number;
  readonly at: (index: number) => string;
}

/**
 * Serves a bucket `ingestion` of `batches` complete batches of aggregation `a` from `begin` on, `perMinute` of them a
 * minute, and in `own-validation` the marker of each. Whatever else is asked for is not there; what is written is kept.
 */
export async function startHugeBuckets(batches: number, begin: Date, perMinute: number): Promise<HugeBuckets> {
  const batchOf = (i: number): ReturnType<typeof batchAt> =>
    batchAt(new Date(begin.getTime() + Math.floor(i / perMinute) * MINUTE_MS), i);
  const buckets: Readonly<Record<string, Names>> = {
    ingestion: { count: 3 * batches, at: (i) => objectsOf('a', batchOf(Math.floor(i / 3)), 'batch')[i % 3]! },
    'own-validation': { count: batches, at: (i) => intakeMarker('a', batchOf(i)) },
    'peer-validation': { count: 0, at: () => '' },
  };
  const written = new Map<string, string>();
  let generation = 0;
  let listed = 0;

  const list = (names: Names, query: URLSearchParams): unknown => {
    const prefix = query.get('prefix') ?? '';
    const from = [prefix, query.get('startOffset') ?? ''].toSorted().at(-1)!;
    const start = Number(query.get('pageToken') ?? firstAtOrAfter(names, from));
    if (query.get('delimiter') === '/' && prefix === '') return { prefixes: names.count > 0 ? ['a/'] : [] };
    const items: { name: string }[] = [];
    for (let i = start; i < names.count && items.length < PAGE; i++) {
      const name = names.at(i);
      if (!name.startsWith(prefix) || name >= (query.get('endOffset') ?? '\x7f')) {
        listed += items.length;
        return { items };
      }
      items.push({ name });
    }
    listed += items.length;
    const next = start + items.length;
    return { items, ...(next < names.count ? { nextPageToken: String(next) } : {}) };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const [, bucket = '', rest = ''] = /^\/(?:upload\/)?storage\/v1\/b\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
    if (request.method === 'POST' && rest === '/o') {
      written.set(`${bucket}/${url.searchParams.get('name')}`, Buffer.concat(chunks).toString());
      return send(200, { generation: String(++generation) });
    }
    if (rest === '/o') return send(200, list(buckets[bucket]!, url.searchParams));
    if (rest.startsWith('/iam/')) return send(200, { permissions: url.searchParams.getAll('permissions') });
    const body = written.get(`${bucket}/${decodeURIComponent(rest.slice('/o/'.length))}`);
    if (body === undefined) return send(404, { error: { code: 404, message: 'No such object' } });
    return send(200, body, { 'x-goog-generation': String(generation), 'content-length': String(body.length) });
  };

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    listed: () => listed,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** By halving. */
function firstAtOrAfter({ count, at }: Names, key: string): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
