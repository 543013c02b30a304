import { describe, expect, it, vi } from 'vitest';
import type { Storage } from '../../../../common/ports/storage.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';
import { bytesOf, keysOf } from '../../../contract/storage/fixtures.ts';
import { s3Error, s3Page, scriptedS3, type S3Answer, type S3Request } from '../../../support/scripted-s3.ts';

const ETAG = '"0123456789abcdef0123456789abcdef"';
const MEBIBYTE = 1024 * 1024;
const BODY = Buffer.from('content');
const LARGE = Buffer.alloc(17 * MEBIBYTE, 'large');

const FAULTS: readonly (readonly [string, S3Answer])[] = [
  ['503 SlowDown', s3Error(503, 'SlowDown')],
  ['429', s3Error(429, 'TooManyRequests')],
  ['500', s3Error(500, 'InternalError')],
  ['a reset', 'reset'],
];

/** What S3 answers if nothing is wrong: two pages, one object. */
function ordinary({ method, query }: S3Request): S3Answer {
  const xml = (name: string, members: string): S3Answer => ({ body: `<${name}>${members}</${name}>` });
  if (query.has('list-type')) {
    return query.has('continuation-token') ? s3Page(['b']) : s3Page(['a'], { token: 'next' });
  }
  if (query.has('uploads')) return xml('InitiateMultipartUploadResult', '<UploadId>upload</UploadId>');
  if (method === 'POST') return xml('CompleteMultipartUploadResult', `<ETag>${ETAG}</ETag>`);
  if (method === 'DELETE') return { status: 204 };
  return { headers: { etag: ETAG }, ...(method === 'GET' ? { body: BODY } : {}) };
}

interface Operation {
  readonly name: string;
  readonly run: (storage: Storage) => Promise<unknown>;
  readonly gives: unknown;
  /** How many requests it takes if nothing is wrong. */
  readonly requests: number;
}

const OPERATIONS: readonly Operation[] = [
  { name: 'check', run: (storage) => storage.check('write'), gives: undefined, requests: 1 },
  { name: 'list', run: (storage) => keysOf(storage.list()), gives: ['a', 'b'], requests: 2 },
  { name: 'listFolder', run: (storage) => keysOf(storage.listFolder()), gives: ['a', 'b'], requests: 2 },
  { name: 'get', run: (storage) => readObject(storage, 'k'), gives: BODY, requests: 1 },
  { name: 'put', run: (storage) => storage.put('k', BODY), gives: ETAG, requests: 1 },
  { name: 'put in parts', run: (storage) => storage.put('k', LARGE), gives: ETAG, requests: 5 },
  { name: 'createIfAbsent', run: (storage) => storage.createIfAbsent('k', BODY), gives: ETAG, requests: 1 },
  {
    name: 'replaceIfUnchanged',
    run: (storage) => storage.replaceIfUnchanged('k', ETAG, BODY),
    gives: ETAG,
    requests: 1,
  },
  { name: 'delete', run: (storage) => storage.delete('k'), gives: undefined, requests: 1 },
];

describe('a passing fault', () => {
  it.concurrent.each(FAULTS)('is made up for, at each request of each operation: %s', async (_, fault) => {
    const places = OPERATIONS.flatMap((operation) =>
      Array.from({ length: operation.requests }, (_, place) => ({ ...operation, place })),
    );
    await Promise.all(
      places.map(async ({ name, run, gives, requests, place }) => {
        await using s3 = await scriptedS3((request, n) => (n === place ? fault : ordinary(request)));
        expect(await run(s3.storage), `${name}, request ${place}`).toEqual(gives);
        expect(s3.requests, name).toHaveLength(requests + 1);
      }),
    );
  });

  it('that keeps on ends in time, whatever the operation', async () => {
    await Promise.all(
      OPERATIONS.map(async ({ name, run }) => {
        await using s3 = await scriptedS3(() => s3Error(503, 'ServiceUnavailable'));
        await expect(run(s3.storage), name).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
        // Three attempts each, to make an upload also to abort it.
        expect(s3.requests.length, name).toBeLessThanOrEqual(6);
      }),
    );
  });
});

describe('an upload in parts', () => {
  async function* stalling(): AsyncGenerator<Uint8Array> {
    yield LARGE;
    await new Promise<never>(() => {});
  }

  it('of which a part is refused does not wait for the rest of the body', async () => {
    await using s3 = await scriptedS3((request) =>
      request.query.has('partNumber') ? s3Error(403, 'AccessDenied') : ordinary(request),
    );
    await expect(s3.storage.put('k', stalling())).rejects.toMatchObject({ code: 'E_PERMISSION_DENIED' });
    expect(s3.requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/bucket/k' });
  });

  it('tells why it failed, not that its parts could not be removed', async () => {
    await using s3 = await scriptedS3((request) => {
      if (request.method === 'DELETE') return s3Error(403, 'AccessDenied');
      return request.query.has('partNumber') ? s3Error(500, 'InternalError') : ordinary(request);
    });
    await expect(s3.storage.put('k', LARGE)).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });

  it('has its condition checked at the end, and gives the owner the object at the beginning', async () => {
    await using s3 = await scriptedS3(ordinary);
    await s3.storage.replaceIfUnchanged('k', ETAG, LARGE);
    const posts = s3.requests.filter(({ method }) => method === 'POST');
    expect(posts.map(({ headers }) => [headers['x-amz-acl'], headers['if-match']])).toEqual([
      ['bucket-owner-full-control', undefined],
      [undefined, ETAG],
    ]);
    expect(s3.counted).toEqual(Array(5).fill('put'));
  });

  it('that loses a race at the end is refused', async () => {
    await using s3 = await scriptedS3((request) =>
      request.method === 'POST' && request.query.has('uploadId')
        ? s3Error(412, 'PreconditionFailed')
        : ordinary(request),
    );
    expect(await s3.storage.createIfAbsent('k', LARGE)).toBeUndefined();
    expect(s3.requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/bucket/k' });
  });
});

describe('a conflict of conditional writes', () => {
  const writes = [
    ['createIfAbsent', (storage: Storage) => storage.createIfAbsent('k', BODY)],
    ['replaceIfUnchanged', (storage: Storage) => storage.replaceIfUnchanged('k', ETAG, BODY)],
  ] as const;

  it.each(writes)('is tried again: %s', async (_, write) => {
    const conflict = s3Error(409, 'ConditionalRequestConflict');
    await using s3 = await scriptedS3((request, n) => (n < 2 ? conflict : ordinary(request)));
    expect(await write(s3.storage)).toBe(ETAG);
    expect(s3.requests).toHaveLength(3);
    expect(s3.requests.map(({ body }) => body.toString())).toEqual(Array(3).fill('content'));
  });

  it.each(writes)('that another wins is a refusal: %s', async (_, write) => {
    await using s3 = await scriptedS3((_, n) =>
      n === 0 ? s3Error(409, 'ConditionalRequestConflict') : s3Error(412, 'PreconditionFailed'),
    );
    expect(await write(s3.storage)).toBeUndefined();
  });

  it.concurrent.each(writes)('that does not end is the service’s fault: %s', async (_, write) => {
    await using s3 = await scriptedS3(() => s3Error(409, 'ConditionalRequestConflict'));
    await expect(write(s3.storage)).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
    expect(s3.requests).toHaveLength(5);
  });

  it('is not waited for after an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('aborted');
    await using s3 = await scriptedS3(() => {
      setImmediate(() => controller.abort(reason));
      return s3Error(409, 'ConditionalRequestConflict');
    });
    await expect(s3.storage.createIfAbsent('k', BODY, { signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('a write whose answer is lost', () => {
  it.each([
    ['createIfAbsent', (storage: Storage) => storage.createIfAbsent('k', BODY)],
    ['replaceIfUnchanged', (storage: Storage) => storage.replaceIfUnchanged('k', ETAG, BODY)],
  ])('is refused by its own success: %s', async (_, write) => {
    await using s3 = await scriptedS3((_, n) => (n === 0 ? 'reset' : s3Error(412, 'PreconditionFailed')));
    expect(await write(s3.storage)).toBeUndefined();
    expect(s3.requests).toHaveLength(2);
  });

  it('finds a replaced object gone', async () => {
    await using s3 = await scriptedS3(() => s3Error(404, 'NoSuchKey'));
    expect(await s3.storage.replaceIfUnchanged('k', ETAG, BODY)).toBeUndefined();
  });
});

describe('a body that breaks off', () => {
  it.each([1000, MEBIBYTE])('of %i bytes is the service’s fault', async (size) => {
    const headers = { etag: ETAG };
    await using s3 = await scriptedS3(() => ({ headers, body: Buffer.alloc(size), cutAt: size / 2 }));
    const reading = s3.storage.get('k').then(({ body }) => bytesOf(body));
    await expect(reading).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });

  it.each([1000, MEBIBYTE])('of %i bytes with a checksum is so, too', async (size) => {
    const headers = { etag: ETAG, 'x-amz-checksum-crc32': 'AAAAAA==' };
    await using cut = await scriptedS3(() => ({ headers, body: Buffer.alloc(size), cutAt: size / 2 }));
    const reading = cut.storage.get('k').then(({ body }) => bytesOf(body));
    await expect(reading).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });

    await using wrong = await scriptedS3(() => ({ headers, body: Buffer.alloc(size, 1) }));
    const comparing = wrong.storage.get('k').then(({ body }) => bytesOf(body));
    await expect(comparing).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
    await expect(comparing).rejects.toHaveProperty('cause.message', expect.stringContaining('Checksum mismatch'));
  });
});

describe('a large body', () => {
  const stalled = { headers: { etag: ETAG }, body: Buffer.alloc(MEBIBYTE), stalls: true };

  it('that nobody wants is let go of', async () => {
    await using s3 = await scriptedS3(() => stalled);
    const { body } = await s3.storage.get('k');
    await body[Symbol.asyncIterator]().return?.();
    await s3.cutOff;
  });

  it('that is aborted is let go of, also between two reads', async () => {
    await using s3 = await scriptedS3(() => stalled);
    const controller = new AbortController();
    const { body } = await s3.storage.get('k', { signal: controller.signal });
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    controller.abort(new Error('aborted'));
    await s3.cutOff;
    await expect(reader.next()).rejects.toThrow('aborted');
  });

  it('that stops coming is the service’s fault after half a minute', async () => {
    await using s3 = await scriptedS3(() => stalled);
    const { body } = await s3.storage.get('k');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const reading = expect(bytesOf(body)).rejects.toThrow('no data for 30 seconds');
      // What has come is read before, in chunks that each wait anew.
      const ticking = setInterval(() => vi.advanceTimersByTime(30_000), 50);
      await reading;
      clearInterval(ticking);
    } finally {
      vi.useRealTimers();
    }
  });
});
