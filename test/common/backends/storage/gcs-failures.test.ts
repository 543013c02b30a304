import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { GcsTuning } from '../../../../common/backends/storage/gcs-tuning.ts';
import { describeError } from '../../../../common/errors.ts';
import type { Storage } from '../../../../common/ports/storage.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';
import { bytesOf, keysOf, NEW } from '../../../contract/storage/fixtures.ts';
import { error, json, media, nothing, reset, resetMidway, ScriptedGcs, text, type Answer } from './gcs-scripted.ts';

let gcs: ScriptedGcs;
afterEach(() => gcs[Symbol.asyncDispose]());

interface Operation {
  readonly name: string;
  readonly call: (storage: Storage, signal?: AbortSignal) => Promise<unknown>;
  readonly answer: Answer;
  readonly result: unknown;
  /** What a refusal names. */
  readonly permission: string;
}

const ALL = ['get', 'list', 'create', 'delete'].map((verb) => `storage.objects.${verb}`);
const stored = json(200, { generation: '7' });

const OPERATIONS: readonly Operation[] = [
  {
    name: 'check',
    call: (storage, signal) => storage.check('write', signal),
    answer: json(200, { permissions: ALL }),
    result: undefined,
    permission: 'storage.buckets.get',
  },
  {
    name: 'list',
    call: (storage, signal) => keysOf(storage.list({ signal })),
    answer: json(200, { items: [{ name: 'p/k' }] }),
    result: ['k'],
    permission: 'storage.objects.list',
  },
  {
    name: 'listFolder',
    call: (storage, signal) => keysOf(storage.listFolder({ signal })),
    answer: json(200, { prefixes: ['p/k/'] }),
    result: ['k/'],
    permission: 'storage.objects.list',
  },
  {
    name: 'get',
    call: async (storage, signal) => (await readObject(storage, 'k', { signal })).toString(),
    answer: media('old'),
    result: 'old',
    permission: 'storage.objects.get',
  },
  {
    name: 'put',
    call: (storage, signal) => storage.put('k', NEW, { signal }),
    answer: stored,
    result: '7',
    permission: 'storage.objects.create',
  },
  {
    name: 'createIfAbsent',
    call: (storage, signal) => storage.createIfAbsent('k', NEW, { signal }),
    answer: stored,
    result: '7',
    permission: 'storage.objects.create',
  },
  {
    name: 'replaceIfUnchanged',
    call: (storage, signal) => storage.replaceIfUnchanged('k', '6', NEW, { signal }),
    answer: stored,
    result: '7',
    permission: 'storage.objects.create',
  },
  {
    name: 'delete',
    call: (storage, signal) => storage.delete('k', { signal }),
    answer: nothing,
    result: undefined,
    permission: 'storage.objects.delete',
  },
];

const FAULTS: readonly (readonly [string, Answer])[] = [
  ['a 503', error(503, 'Backend Error')],
  ['a 503 in HTML', text(503, '<html>Service Unavailable</html>')],
  ['a 429', error(429, 'slow down')],
  ['a reset connection', reset],
];

const onMedia = ({ name }: Operation): boolean => name === 'get';

describe.each(OPERATIONS)('$name', (operation) => {
  const { call, answer, result, permission } = operation;

  it.each(FAULTS)('is repeated after %s, and counted once', async (_, fault) => {
    gcs = await ScriptedGcs.start(fault, answer);
    const counted: string[] = [];
    expect(await call(gcs.storage({ onRequest: (request) => counted.push(request) }))).toEqual(result);
    expect(gcs.requests).toHaveLength(2);
    expect(gcs.requests[0]).toEqual(gcs.requests[1]);
    expect(counted).toHaveLength(operation.name === 'check' ? 0 : 1);
  });

  // A body that breaks off midway is the reader's matter, see below.
  it.each(onMedia(operation) ? [] : ['within the answer'])('is repeated if the connection breaks %s', async () => {
    gcs = await ScriptedGcs.start(resetMidway, answer);
    expect(await call(gcs.storage({ attemptTimeoutMs: 100 }))).toEqual(result);
  });

  it.each(FAULTS)('gives up if there is nothing but %s', async (_, fault) => {
    gcs = await ScriptedGcs.start(fault);
    await expect(call(gcs.storage())).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE', fate: 'retry' });
    expect(gcs.requests).toHaveLength(3);
  });

  it('gives up if there is no answer at all', async () => {
    gcs = await ScriptedGcs.start(() => {});
    const patience: Partial<GcsTuning> = { requestTimeoutMs: 100 };
    await expect(call(gcs.storage(patience))).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });

  it('names the permission that it lacks, and the bucket', async () => {
    gcs = await ScriptedGcs.start(error(403, 'Forbidden', 'forbidden'));
    const failure = expect(call(gcs.storage())).rejects;
    await failure.toMatchObject({ code: 'E_PERMISSION_DENIED' });
    await failure.toThrow(`we lack ${permission} on gs://bucket`);
    expect(gcs.requests).toHaveLength(1);
  });

  it('names the permission that Google says it lacks', async () => {
    const message =
      "x@y does not have storage.objects.delete access to the object. Permission 'storage.objects.delete' denied";
    gcs = await ScriptedGcs.start(error(403, message, 'forbidden'));
    await expect(call(gcs.storage())).rejects.toThrow('we lack storage.objects.delete on gs://bucket');
  });

  it('tells that its credentials are refused', async () => {
    gcs = await ScriptedGcs.start(error(401, 'Invalid Credentials', 'authError'));
    await expect(call(gcs.storage())).rejects.toMatchObject({ code: 'E_PERMISSION_DENIED' });
  });

  it('tells that the bucket is missing', async () => {
    const message = 'The specified bucket does not exist.';
    gcs = await ScriptedGcs.start(onMedia(operation) ? text(404, message) : error(404, message, 'notFound'));
    const failure = expect(call(gcs.storage())).rejects;
    await failure.toMatchObject({ code: 'E_CONFIGURATION' });
    await failure.toThrow('gs://bucket does not exist');
  });

  it('stops at once when aborted, also while it waits to repeat', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    gcs = await ScriptedGcs.start((response, request) => {
      error(503, 'Backend Error')(response, request);
      if (gcs.requests.length === 2) setImmediate(() => controller.abort(reason));
    });
    const storage = gcs.storage({ retries: 6, maxRetryDelayMs: 60_000 });
    await expect(call(storage, controller.signal)).rejects.toBe(reason);
    expect(gcs.requests).toHaveLength(2);
  });

  it('does not begin when aborted before', async () => {
    gcs = await ScriptedGcs.start(answer);
    const reason = new Error('before');
    await expect(call(gcs.storage(), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(gcs.requests).toHaveLength(0);
  });
});

it('takes a limit on its rate for what it is', async () => {
  gcs = await ScriptedGcs.start(error(403, 'Rate Limit Exceeded', 'rateLimitExceeded'));
  await expect(gcs.storage().delete('k')).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
});

describe('a conditional write', () => {
  it('is refused by 412, and asks for what it means', async () => {
    gcs = await ScriptedGcs.start(error(412, 'conditionNotMet', 'conditionNotMet'));
    const storage = gcs.storage();
    expect(await storage.createIfAbsent('a/k', NEW)).toBeUndefined();
    expect(await storage.replaceIfUnchanged('a/k', '17', NEW)).toBeUndefined();
    const queries = gcs.requests.map(({ query }) => Object.fromEntries(query));
    const query = { uploadType: 'media', fields: 'generation', name: 'p/a/k' };
    expect(queries).toEqual([
      { ...query, ifGenerationMatch: '0' },
      { ...query, ifGenerationMatch: '17' },
    ]);
    expect(gcs.requests.map(({ body }) => body.toString())).toEqual(['new', 'new']);
  });

  it('is refused by its own success if the answer to that was lost', async () => {
    gcs = await ScriptedGcs.start(reset, error(412, 'conditionNotMet', 'conditionNotMet'));
    expect(await gcs.storage().createIfAbsent('k', NEW)).toBeUndefined();
    expect(gcs.requests).toHaveLength(2);
  });

  it('takes an object that is gone for changed', async () => {
    gcs = await ScriptedGcs.start(error(404, 'No such object: bucket/p/k', 'notFound'));
    expect(await gcs.storage().replaceIfUnchanged('k', '6', NEW)).toBeUndefined();
  });

  it.each(['0', '', '-1', '1.5', '1e3', ' 1', '01', 'x'])(
    'on version %j, which Google does not give out, makes no request',
    async (version) => {
      gcs = await ScriptedGcs.start(stored);
      expect(await gcs.storage().replaceIfUnchanged('k', version, NEW)).toBeUndefined();
      expect(gcs.requests).toHaveLength(0);
    },
  );

  it('that is answered without a generation has failed', async () => {
    gcs = await ScriptedGcs.start(json(200, {}));
    await expect(gcs.storage().put('k', NEW)).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });
});

describe('an object', () => {
  it('is missing where Google says so in plain text', async () => {
    gcs = await ScriptedGcs.start(text(404, 'No such object: bucket/p/k'));
    await expect(gcs.storage().get('k')).rejects.toMatchObject({ code: 'E_OBJECT_MISSING' });
  });

  it('may be deleted twice', async () => {
    gcs = await ScriptedGcs.start(error(404, 'No such object: bucket/p/k', 'notFound'));
    await gcs.storage().delete('k');
    expect(gcs.requests[0]).toMatchObject({ method: 'DELETE', path: '/storage/v1/b/bucket/o/p%2Fk' });
  });

  it('is got by one request, version and all', async () => {
    gcs = await ScriptedGcs.start(media('old', { 'x-goog-hash': 'crc32c=AAAAAA==, md5=FJYD5sA1FjYqjaI/Yk25RQ==' }));
    const { body, ...rest } = await gcs.storage().get('k');
    expect(rest).toEqual({ version: '7', size: 3 });
    expect((await bytesOf(body)).toString()).toBe('old');
    expect(gcs.requests).toHaveLength(1);
  });

  it.each([
    ['its digest', media('old', { 'x-goog-hash': 'md5=FJ+D17i0GRvIVDcUU2dGcQ==' })],
    ['its length', media('old', { 'x-goog-stored-content-length': '4' })],
  ])('that is not of %s is not taken', async (_, answer) => {
    gcs = await ScriptedGcs.start(answer);
    await expect(readObject(gcs.storage(), 'k')).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });

  it('is not what something else answers, like a portal', async () => {
    gcs = await ScriptedGcs.start(text(200, '<html>Log in</html>'));
    await expect(gcs.storage().get('k')).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });

  it('that Google decompresses is taken as it comes', async () => {
    const stored = { 'x-goog-stored-content-encoding': 'gzip', 'x-goog-stored-content-length': '99' };
    gcs = await ScriptedGcs.start(media('old', { ...stored, 'x-goog-hash': 'md5=FJ+D17i0GRvIVDcUU2dGcQ==' }));
    expect((await readObject(gcs.storage(), 'k')).toString()).toBe('old');
    expect(gcs.requests[0]?.headers['accept-encoding']).toBeUndefined();
  });

  it.each([
    ['breaks', (response: Parameters<Answer>[0]) => response.socket?.resetAndDestroy()],
    ['ends early', (response: Parameters<Answer>[0]) => response.socket?.end()],
    ['falls silent', () => {}],
  ])('whose transmission %s fails midway', async (_, end) => {
    gcs = await ScriptedGcs.start((response) => {
      response.writeHead(200, { 'x-goog-generation': '7', 'content-length': '100' });
      response.write('half', () => setImmediate(end, response));
    });
    const { body } = await gcs.storage({ idleTimeoutMs: 100 }).get('k');
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const chunk of body) chunks.push(Buffer.from(chunk).toString());
    })();
    const failure = await reading.catch((err: unknown) => err);
    expect(failure).toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
    expect(describeError(failure)).toContain("cannot get 'k' in gs://bucket/p: ");
  });

  it('that nobody reads gives its connection back', async () => {
    gcs = await ScriptedGcs.start(media('old'));
    const storage = gcs.storage();
    for (let i = 0; i < 5; i++) {
      const { body } = await storage.get('k');
      await body[Symbol.asyncIterator]().return?.();
      // The rest of it is read meanwhile.
      await delay(5);
    }
    expect(gcs.connections).toBe(1);
  });
});
