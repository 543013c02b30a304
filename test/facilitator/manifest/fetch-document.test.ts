import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchDocument, FETCH_DEFAULTS, MAX_MANIFEST_BYTES } from '../../../facilitator/manifest/fetch-document.ts';
import { FETCHING, inTurn, manifestServer, status, type ManifestServer } from './manifest-server.ts';

let server: ManifestServer;
beforeAll(async () => {
  server = await manifestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const url = (): string => `${server.base}/global-manifest.json`;
const since = async (work: () => Promise<unknown>): Promise<number> => {
  const before = server.requests.length;
  await work();
  return server.requests.length - before;
};
const unavailable = { code: 'E_MANIFEST_UNAVAILABLE', fate: 'retry' };

describe('fetchDocument', () => {
  it('has the bytes and what the server says of them', async () => {
    server.answer = status(200, 'hello', {
      etag: '"1"',
      'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT',
      'cache-control': 'public, Max-Age=60',
    });
    const fetched = await fetchDocument(url(), FETCHING);
    expect(fetched).toMatchObject({
      kind: 'document',
      validators: { etag: '"1"', lastModified: 'Sat, 21 Nov 2026 10:00:00 GMT' },
      maxAgeMs: 60_000,
    });
    expect('bytes' in fetched && Buffer.from(fetched.bytes).toString()).toBe('hello');
    expect(server.requests.at(-1)?.headers['if-none-match']).toBeUndefined();
  });

  it.each([
    ['no-cache', 0],
    ['no-store, max-age=5', 0],
    ['max-age=0', 0],
    ['private, max-age="7"', 7000],
    ['s-maxage=5', undefined],
    ['max-age=x', undefined],
  ])('takes %j for an age of %s ms', async (cacheControl, maxAgeMs) => {
    server.answer = status(200, '', { 'cache-control': cacheControl });
    expect(await fetchDocument(url(), FETCHING)).toMatchObject({ maxAgeMs });
  });

  it('asks whether the copy at hand is still right', async () => {
    server.answer = status(304);
    const known = { etag: '"1"', lastModified: 'Sat, 21 Nov 2026 10:00:00 GMT' };
    expect(await fetchDocument(url(), FETCHING, known)).toMatchObject({ kind: 'unchanged' });
    expect(server.requests.at(-1)?.headers).toMatchObject({
      'if-none-match': '"1"',
      'if-modified-since': 'Sat, 21 Nov 2026 10:00:00 GMT',
    });
  });

  it.each([429, 500, 503])('tries again after status %d', async (code) => {
    server.answer = inTurn(status(code), status(code), status(200, 'hello'));
    expect(await since(() => fetchDocument(url(), FETCHING))).toBe(3);
  });

  it('tries again after a connection that breaks off, before and in the body', async () => {
    server.answer = inTurn(
      (response) => void response.destroy(),
      (response) => {
        response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
      },
      status(200, 'hello'),
    );
    expect(await since(() => fetchDocument(url(), FETCHING))).toBe(3);
  });

  it('gives up in the end', async () => {
    server.answer = status(503);
    expect(
      await since(() =>
        expect(fetchDocument(url(), FETCHING)).rejects.toMatchObject({
          ...unavailable,
          message: `${url()} is answered with status 503`,
        }),
      ),
    ).toBe(3);
  });

  it.each([400, 401, 403, 410])('does not try again after status %d', async (code) => {
    server.answer = status(code);
    expect(await since(() => expect(fetchDocument(url(), FETCHING)).rejects.toMatchObject(unavailable))).toBe(1);
  });

  it('tells what is missing from what failed', async () => {
    server.answer = status(404, 'no such thing');
    expect(await fetchDocument(url(), FETCHING)).toEqual({ kind: 'missing' });
  });

  it('follows no redirect', async () => {
    server.answer = status(302, '', { location: `${server.base}/elsewhere` });
    expect(
      await since(() =>
        expect(fetchDocument(url(), FETCHING)).rejects.toMatchObject({
          ...unavailable,
          message: expect.stringContaining('redirects are not followed') as string,
        }),
      ),
    ).toBe(1);
  });

  it('reads no more than 10 MiB', async () => {
    server.answer = status(200, Buffer.alloc(MAX_MANIFEST_BYTES));
    expect(await fetchDocument(url(), FETCHING)).toMatchObject({ kind: 'document' });
    server.answer = status(200, Buffer.alloc(MAX_MANIFEST_BYTES + 1));
    expect(await since(() => expect(fetchDocument(url(), FETCHING)).rejects.toMatchObject(unavailable))).toBe(1);
  });

  it('gives up a server that does not answer', async () => {
    server.answer = () => {};
    const settings = { ...FETCHING, timeoutMs: 50, retries: 1 };
    await expect(fetchDocument(url(), settings)).rejects.toMatchObject(unavailable);
  });

  it.each(['http://127.0.0.1:1/', 'http://a.example/', 'file:///etc/passwd', 'ftp://a.example/'])(
    'refuses %s',
    async (refused) => {
      const settings = { ...FETCH_DEFAULTS, fetch: () => Promise.reject(new Error('must not be called')) };
      await expect(fetchDocument(refused, settings)).rejects.toMatchObject({
        message: `${refused} is not fetched: manifests come over https only`,
      });
    },
  );

  it('lets plain http through to this machine alone, where a test wants it', async () => {
    await expect(fetchDocument('http://127.0.0.1.a.example/', FETCHING)).rejects.toMatchObject(unavailable);
  });
});
