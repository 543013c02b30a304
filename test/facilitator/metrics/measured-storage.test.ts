import { beforeEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../../common/backends/storage/open.ts';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { PermissionDenied } from '../../../common/errors.ts';
import type { Storage } from '../../../common/ports/storage.ts';
import { measuredStorage, requestCounter, storageService } from '../../../facilitator/metrics/measured-storage.ts';
import { memoryMetrics, type MemoryMetrics } from '../../support/memory-metrics.ts';

const BODY = Buffer.from('x');

let metrics: MemoryMetrics;
let nowMs = 0;
beforeEach(() => {
  metrics = memoryMetrics();
  nowMs = 1000;
});

const clock = (): Date => new Date(nowMs);

/** Every call takes 10 ms, and of listings every key. */
function slow(base: Storage): Storage {
  const later = <T>(answer: Promise<T>): Promise<T> => {
    nowMs += 10;
    return answer;
  };
  return {
    url: base.url,
    check: (access, signal) => later(base.check(access, signal)),
    list: async function* (options) {
      for await (const key of base.list(options)) yield await later(Promise.resolve(key));
    },
    listFolder: (options) => base.listFolder(options),
    get: (key, options) => later(base.get(key, options)),
    put: (key, body, options) => later(base.put(key, body, options)),
    createIfAbsent: (key, body, options) => later(base.createIfAbsent(key, body, options)),
    replaceIfUnchanged: (key, version, body, options) => later(base.replaceIfUnchanged(key, version, body, options)),
    delete: (key, options) => later(base.delete(key, options)),
  };
}

async function keysOf(keys: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const key of keys) found.push(key);
  return found;
}

const latency = (endpoint: string, status = 'success'): string =>
  `facilitator_api_latency_ms{endpoint="${endpoint}",service="memory",status="${status}"}`;

describe('a measured storage', () => {
  it('tells how long each call took', async () => {
    const storage = measuredStorage(slow(new MemoryStorage('m')), metrics, clock);
    await storage.check('read');
    const version = await storage.put('a', BODY);
    await storage.createIfAbsent('b', BODY);
    await storage.replaceIfUnchanged('a', version, BODY);
    await storage.get('a');
    await storage.delete('a');
    expect(Object.fromEntries(metrics.observed)).toEqual(
      Object.fromEntries(['check', 'put', 'create', 'replace', 'get', 'delete'].map((name) => [latency(name), [10]])),
    );
  });

  it('does not count the time of whoever reads a listing, also one that is left early', async () => {
    const base = new MemoryStorage('m');
    for (const key of ['a', 'b', 'c']) await base.put(key, BODY);
    const storage = measuredStorage(slow(base), metrics, clock);
    const seen: string[] = [];
    for await (const key of storage.list()) {
      seen.push(key);
      nowMs += 5000;
      if (key === 'b') break;
    }
    expect(seen).toEqual(['a', 'b']);
    expect(metrics.observed.get(latency('list'))).toEqual([20]);
    expect(await keysOf(storage.listFolder({ prefix: 'c' }))).toEqual(['c']);
    expect(metrics.observed.get(latency('list'))).toEqual([20, 0]);
  });

  it('tells failures apart by their codes', async () => {
    const denied = (): never => {
      throw new PermissionDenied('no');
    };
    const base: Storage = Object.assign(slow(new MemoryStorage('m')), {
      put: () => Promise.reject(new Error('a bug')),
      delete: async () => denied(),
      // oxlint-disable-next-line require-yield
      list: async function* () {
        denied();
      },
    });
    const storage = measuredStorage(base, metrics, clock);
    const aborted = AbortSignal.abort(new Error('stop'));
    await expect(storage.get('none')).rejects.toThrow('no object');
    await expect(storage.get('none', { signal: aborted })).rejects.toThrow('stop');
    await expect(storage.put('a', BODY)).rejects.toThrow('a bug');
    await expect(storage.delete('a')).rejects.toThrow(PermissionDenied);
    await expect(keysOf(storage.list())).rejects.toThrow(PermissionDenied);
    expect([...metrics.observed.keys()]).toEqual([
      latency('get', 'E_OBJECT_MISSING'),
      latency('get', 'aborted'),
      latency('put', 'unknown'),
      latency('delete', 'E_PERMISSION_DENIED'),
      latency('list', 'E_PERMISSION_DENIED'),
    ]);
  });

  it('does not mind a clock that is set back', async () => {
    const times = [5000, 3000];
    const storage = measuredStorage(new MemoryStorage('m'), metrics, () => new Date(times.shift()!));
    await storage.check('read');
    expect(metrics.observed.get(latency('check'))).toEqual([0]);
  });
});

describe('requests to object stores', () => {
  it('are counted as the storage tells them', async () => {
    const storage = openStorage('memory://request-counter', { onRequest: requestCounter(metrics, 'memory') });
    await storage.put('a', BODY);
    await storage.get('a');
    await storage.get('a');
    expect(Object.fromEntries(metrics.values)).toEqual({
      'facilitator_object_store_requests_total{operation="get",service="memory"}': 2,
      'facilitator_object_store_requests_total{operation="put",service="memory"}': 1,
    });
  });

  it.each([
    ['gs://bucket/prefix', 'storage.googleapis.com'],
    ['s3://eu-west-1/bucket', 's3.amazonaws.com'],
    ['file:///var/lib/dsp', 'file'],
    ['memory://name', 'memory'],
    ['nothing', ''],
  ])('of %s go to %j', (url, service) => {
    expect(storageService(url)).toBe(service);
  });
});
