import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { ListOptions, Storage } from '../../common/ports/storage.ts';
import {
  aggregationIds,
  isCompleteIngestion,
  isCompleteValidation,
  keysInInterval,
  listedBatches,
  keysFrom,
} from '../../workflow-manager/listing.ts';
import { batchAt, objectsOf, putAll, windowOf } from '../support/publisher.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* from<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function storageOf(keys: readonly string[]): Promise<Storage> {
  const storage = new MemoryStorage('listing');
  await putAll(storage, keys);
  return storage;
}

/** A storage of which only listings are asked, given by its keys. */
function listingOnly(list: (options: ListOptions) => AsyncIterable<string>): Storage {
  const refuse = (): never => {
    throw new Error('only list is to be called');
  };
  return {
    url: 'memory://listing-only',
    check: refuse,
    list: (options = {}) => list(options),
    listFolder: refuse,
    get: refuse,
    put: refuse,
    createIfAbsent: refuse,
    replaceIfUnchanged: refuse,
    delete: refuse,
  };
}

const DAY = windowOf('2024-11-20T00:00Z', '2024-11-21T00:00Z');
const at = (time: string, n = 1): string[] => objectsOf('a', batchAt(time, n), 'batch');

describe('keysInInterval', () => {
  it('gives the keys of whole minutes that lie in the interval, in order, of one aggregation', async () => {
    const interval = windowOf('2024-11-20T09:00Z', '2024-11-20T10:00Z');
    const inside = [...at('2024-11-20T09:00Z'), ...at('2024-11-20T09:59Z')];
    const outside = [...at('2024-11-20T08:59Z'), ...at('2024-11-20T10:00Z'), ...at('2024-11-20T10:01Z')];
    const others = ['a-b', 'a2', 'b'].flatMap((id) => objectsOf(id, batchAt('2024-11-20T09:30Z'), 'batch'));
    const storage = await storageOf([...outside, ...others, ...inside.toReversed()]);
    expect(await all(keysInInterval(storage, 'a', interval))).toEqual(inside);
  });

  it('looks at the minute in which an interval begins and at that in which it ends', async () => {
    const interval = windowOf('2024-11-20T09:00:30Z', '2024-11-20T10:00:30Z');
    const keys = ['09:00', '09:01', '10:00', '10:01'].flatMap((time) => at(`2024-11-20T${time}Z`));
    expect(await all(keysInInterval(await storageOf(keys), 'a', interval))).toEqual(keys.slice(0, 9));
  });

  it('has the storage begin with the first minute, and end before the one that is too late', async () => {
    const asked: ListOptions[] = [];
    const storage = listingOnly(async function* (options) {
      asked.push(options);
      yield* at('2024-11-20T00:00Z');
    });
    expect(await all(keysInInterval(storage, 'a', DAY))).toEqual(at('2024-11-20T00:00Z'));
    expect(asked).toEqual([{ prefix: 'a/', startAt: 'a/2024/11/20/00/00', endBefore: 'a/2024/11/21/00/00' }]);
  });
});

describe('listedBatches', () => {
  const strays: string[] = [];
  const list = (keys: Iterable<string>, interval = DAY): ReturnType<typeof listedBatches> => {
    strays.length = 0;
    return listedBatches(from(keys), 'batch', interval, (key) => strays.push(key));
  };

  it('puts the objects of a batch together', async () => {
    const [header, packets, signature] = objectsOf('a', batchAt('2024-11-20T09:00Z', 2), 'batch');
    const found = await all(list([...at('2024-11-20T09:00Z', 1), header, signature, packets]));
    expect(found).toEqual([
      { batch: batchAt('2024-11-20T09:00Z', 1), parts: new Set(['header', 'packets', 'signature']) },
      { batch: batchAt('2024-11-20T09:00Z', 2), parts: new Set(['header', 'packets', 'signature']) },
    ]);
    expect(found.map(isCompleteIngestion)).toEqual([true, true]);
  });

  it('takes one id at two times for two batches', async () => {
    const [header, packets, signature] = objectsOf('a', batchAt('2024-11-20T09:00Z'), 'batch');
    const [header2, packets2, signature2] = objectsOf('a', batchAt('2024-11-20T09:01Z'), 'batch');
    const found = await all(list([header, packets, signature2, header2, packets2, signature]));
    expect(found.map(({ batch }) => batch.time.getUTCMinutes())).toEqual([0, 1, 0]);
    const halves = await all(list([header, packets, signature2]));
    expect(halves.map(isCompleteIngestion)).toEqual([false, false]);
  });

  it.each([
    { begin: '09:00:00', end: '10:00:00', want: ['09:00', '09:59'] },
    { begin: '09:00:00.001', end: '10:00:00.001', want: ['09:59', '10:00'] },
    { begin: '08:59:59.999', end: '09:59:59.999', want: ['09:00', '09:59'] },
    { begin: '08:59:00', end: '09:59:00', want: ['08:59', '09:00'] },
    { begin: '09:00:00', end: '09:00:00.001', want: ['09:00'] },
    { begin: '09:00:00', end: '09:00:00', want: [] },
  ])('is half-open: [$begin, $end) has $want', async ({ begin, end, want }) => {
    const interval = windowOf(`2024-11-20T${begin}Z`, `2024-11-20T${end}Z`);
    const times = ['08:58', '08:59', '09:00', '09:59', '10:00', '10:01'];
    const storage = await storageOf(times.flatMap((time) => at(`2024-11-20T${time}Z`)));
    const found = await all(listedBatches(keysInInterval(storage, 'a', interval), 'batch', interval, () => {}));
    expect(found.map(({ batch }) => batch.time.toISOString().slice(11, 16))).toEqual(want);
  });

  it('passes over strays, also between the objects of a batch', async () => {
    const [header, packets, signature] = objectsOf('a', batchAt('2024-11-20T09:00Z'), 'batch');
    const [validation] = objectsOf('a', batchAt('2024-11-20T09:00Z'), 'validity_0');
    const found = await all(list([header, `${header}.tmp`, packets, 'a/2024/11/20/09/1/x', signature, validation]));
    expect(found.map(isCompleteIngestion)).toEqual([true]);
    expect(strays).toEqual([`${header}.tmp`, 'a/2024/11/20/09/1/x', validation]);
  });

  it.each([
    { parts: [0, 1, 2], ingestion: true, validation: true },
    { parts: [0, 1], ingestion: false, validation: false },
    { parts: [0, 2], ingestion: false, validation: true },
    { parts: [1, 2], ingestion: false, validation: true },
    { parts: [2], ingestion: false, validation: true },
    { parts: [0], ingestion: false, validation: false },
    { parts: [1], ingestion: false, validation: false },
  ])('says which objects are there: $parts', async ({ parts, ingestion, validation }) => {
    const keys = at('2024-11-20T09:00Z').filter((_, i) => parts.includes(i));
    const found = await all(list(keys));
    expect(found.map(isCompleteIngestion)).toEqual([ingestion]);
    expect(found.map(isCompleteValidation)).toEqual([validation]);
  });

  it('holds one batch of 100,000 keys at a time', async () => {
    let read = 0;
    const keys = function* (): Generator<string> {
      for (let n = 0; n < 33_334; n++) {
        for (const key of objectsOf('a', batchAt('2024-11-20T09:00Z', n), 'batch')) {
          read++;
          yield key;
        }
      }
    };
    let batches = 0;
    let farthestAhead = 0;
    for await (const batch of list(keys())) {
      expect(batch.parts.size).toBe(3);
      batches++;
      farthestAhead = Math.max(farthestAhead, read - 3 * batches);
    }
    expect({ batches, read, farthestAhead }).toEqual({ batches: 33_334, read: 100_002, farthestAhead: 1 });
  });
});

describe('aggregationIds', () => {
  const find = async (keys: readonly string[]): Promise<{ ids: string[]; strays: string[] }> => {
    const strays: string[] = [];
    const ids = await all(aggregationIds(await storageOf(keys), (key) => strays.push(key)));
    return { ids, strays };
  };

  it.each([
    { name: 'nothing', keys: [], ids: [] },
    { name: 'one folder of many objects', keys: ['a/1', 'a/2', 'a/b/c', 'a/z'], ids: ['a'] },
    {
      name: 'ids that begin with each other',
      keys: ['a/1', 'a-b/1', 'a-2024-11-20/1', 'a0/1', 'a!/1', 'a.b/1', 'aa/1', 'a b/1', 'A/1'],
      ids: ['A', 'a b', 'a!', 'a-2024-11-20', 'a-b', 'a.b', 'a', 'a0', 'aa'],
    },
    { name: 'the last printable character', keys: ['~/1', '~~/1', 'z~/1'], ids: ['z~', '~', '~~'] },
    { name: 'folders of no batches', keys: ['a/readme', 'b/x/y/z'], ids: ['a', 'b'] },
    {
      name: 'no folders of the publisher’s own',
      keys: ['a/1', 'task-markers/intake-a-x', 'task-claims/a.lease', 'task-claims2/1', 'task-marker/1', 'z/1'],
      ids: ['a', 'task-claims2', 'task-marker', 'z'],
    },
    { name: 'only folders of the publisher’s own', keys: ['task-markers/x', 'task-claims/x'], ids: [] },
  ])('finds $name', async ({ keys, ids }) => {
    expect(await find(keys)).toEqual({ ids, strays: [] });
  });

  it('tells of objects at the top level', async () => {
    const keys = ['README', 'README.md', 'a/1', 'b', 'b-c/1', 'b0/1', 'b c', 'task-markers', '~'];
    expect(await find(keys)).toEqual({
      ids: ['a', 'b-c', 'b0'],
      strays: ['README', 'README.md', 'b', 'b c', 'task-markers', '~'],
    });
  });

  it('tells of an object beside the folder of its name, which only some storages can hold', async () => {
    expect(await find(['a', 'a/1', 'a-b', 'a-b/1'])).toEqual({ ids: ['a-b', 'a'], strays: ['a', 'a-b'] });
  });

  it('stops at the signal', async () => {
    const ids = aggregationIds(await storageOf(['a/1', 'b/1']), () => {}, AbortSignal.abort(new Error('enough')));
    await expect(all(ids)).rejects.toThrow('enough');
  });
});

describe('keysFrom', () => {
  it.each([
    { range: { prefix: 'm/a-' }, want: ['m/a-1', 'm/a-2', 'm/a-3', 'm/a-b-1'] },
    { range: { prefix: 'm/a-', startAt: 'm/a-2' }, want: ['m/a-2', 'm/a-3', 'm/a-b-1'] },
    { range: { prefix: 'm/a-', startAt: 'm/a-2', end: 'm/a-3' }, want: ['m/a-2'] },
    { range: { prefix: 'm/c-' }, want: [] },
  ])('gives the keys of $range', async ({ range, want }) => {
    const storage = await storageOf(['a/1', 'm/a', 'm/a-1', 'm/a-2', 'm/a-3', 'm/a-b-1', 'm/b-1']);
    expect(await all(keysFrom(storage, range))).toEqual(want);
  });
});
