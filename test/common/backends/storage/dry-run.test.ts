import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { dryRunStorage } from '../../../../common/backends/storage/dry-run.ts';
import { MemoryStorage } from '../../../../common/backends/storage/memory.ts';
import { ConfigurationInvalid, PermissionDenied } from '../../../../common/errors.ts';
import type { Storage } from '../../../../common/ports/storage.ts';
import { content, keysOf, NEW, OLD, putAll } from '../../../contract/storage/fixtures.ts';
import { readOnlyStorage } from '../../../support/read-only-storage.ts';

const URL = 'memory://base';

let base: MemoryStorage;
let lines: string[];
let storage: Storage;
beforeEach(() => {
  base = new MemoryStorage('base');
  lines = [];
  storage = dryRunStorage(readOnlyStorage(base), (line) => lines.push(line));
});

describe('what is printed', () => {
  it('is one line for each write, with size and place, without content', async () => {
    await base.put('there', OLD);
    await storage.createIfAbsent('a/lease', Buffer.from('12345'));
    const { version } = await storage.get('a/lease');
    await storage.replaceIfUnchanged('a/lease', version, Buffer.from('123456'));
    await storage.put('there', NEW);
    await storage.put('new', new Uint8Array());
    await storage.delete('there');
    expect(lines).toEqual([
      `would create a/lease in ${URL} (5 bytes)`,
      `would replace a/lease in ${URL} (6 bytes)`,
      `would replace there in ${URL} (3 bytes)`,
      `would create new in ${URL} (0 bytes)`,
      `would delete there in ${URL}`,
    ]);
  });

  it('is nothing for what would change nothing', async () => {
    await base.put('there', OLD);
    await storage.createIfAbsent('there', NEW);
    await storage.replaceIfUnchanged('there', 'stale', NEW);
    await storage.replaceIfUnchanged('missing', 'stale', NEW);
    await storage.delete('missing');
    await storage.get('there');
    await keysOf(storage.list());
    await storage.check('write');
    expect(lines).toEqual([]);
  });

  it('counts one creation when many put at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => storage.put('k', NEW)));
    expect(lines.filter((line) => line.startsWith('would create'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('would replace'))).toHaveLength(4);
  });
});

describe('over objects of the base', () => {
  beforeEach(() => base.put('k', OLD));

  it('shows them with their version', async () => {
    expect((await storage.get('k')).version).toBe((await base.get('k')).version);
    expect(await content(storage)).toBe('old');
  });

  it('lists both in order, without what was deleted', async () => {
    await base.delete('k');
    await putAll(base, ['a', 'c', 'e', 'g']);
    await putAll(storage, ['b', 'c', 'd', 'z', 'A']);
    await storage.delete('e');
    await storage.delete('d');
    expect(await keysOf(storage.list())).toEqual(['A', 'a', 'b', 'c', 'g', 'z']);
    expect(await keysOf(storage.list({ startAt: 'b' }))).toEqual(['b', 'c', 'g', 'z']);
    expect(await keysOf(storage.list({ prefix: 'c' }))).toEqual(['c']);
    expect(await keysOf(base.list())).toEqual(['a', 'c', 'e', 'g']);
  });

  it('lists an object that is replaced, and not one that is deleted, while the listing is under way', async () => {
    await base.delete('k');
    await putAll(base, ['a', 'b', 'c']);
    const seen: string[] = [];
    for await (const key of storage.list()) {
      seen.push(key);
      if (key === 'a') await Promise.all([storage.delete('b'), storage.put('c', NEW)]);
    }
    expect(seen).toEqual(['a', 'c']);
  });

  it('shows new content where one was replaced, and the base the old', async () => {
    await storage.put('k', NEW);
    expect(await content(storage)).toBe('new');
    expect(await content(base)).toBe('old');
  });

  it('does not create them again, unless they were deleted', async () => {
    expect(await storage.createIfAbsent('k', NEW)).toBeUndefined();
    expect(await content(storage)).toBe('old');
    await storage.delete('k');
    await expect(storage.get('k')).rejects.toThrow(`no object 'k' in ${URL}: this dry run would have deleted it`);
    expect(await storage.createIfAbsent('k', NEW)).toBeDefined();
    expect(await content(storage)).toBe('new');
    expect(await content(base)).toBe('old');
  });

  it('replaces the version of the base, once', async () => {
    const { version } = await storage.get('k');
    const versions = await Promise.all([NEW, NEW, NEW].map((body) => storage.replaceIfUnchanged('k', version, body)));
    expect(versions.filter((won) => won !== undefined)).toHaveLength(1);
    expect(await storage.replaceIfUnchanged('k', version, OLD)).toBeUndefined();
    expect(await content(storage)).toBe('new');
  });

  it('notices that another process replaced one in the base', async () => {
    const { version } = await storage.get('k');
    await base.put('k', Buffer.from('theirs'));
    expect(await storage.replaceIfUnchanged('k', version, NEW)).toBeUndefined();
    expect(await content(storage)).toBe('theirs');
  });

  it('takes none of its own versions for one of the base', async () => {
    const { version } = await base.get('k');
    await storage.delete('k');
    await storage.put('k', NEW);
    expect(await storage.replaceIfUnchanged('k', version, OLD)).toBeUndefined();
  });
});

it('looks exactly like a storage in which the same was done, and leaves the base as it was', async () => {
  const key = fc.constantFrom('a', 'a/b', 'a-b', 'b', 'c');
  const body = fc.uint8Array({ maxLength: 3 });
  const operation = fc.oneof(
    fc.record({ method: fc.constantFrom('put', 'createIfAbsent', 'replace'), key, body }),
    fc.record({ method: fc.constant('delete'), key, body }),
  );
  const apply = async (to: Storage, { method, key, body }: { method: string; key: string; body: Uint8Array }) => {
    if (method === 'put') await to.put(key, body);
    else if (method === 'createIfAbsent') await to.createIfAbsent(key, body);
    else if (method === 'delete') await to.delete(key);
    else {
      const found = await to.get(key).catch(() => undefined);
      await to.replaceIfUnchanged(key, found?.version ?? 'none', body);
    }
  };
  const stateOf = async (of: Storage): Promise<[string, number[]][]> => {
    const state: [string, number[]][] = [];
    for await (const key of of.list()) {
      const bytes: number[] = [];
      for await (const chunk of (await of.get(key)).body) bytes.push(...chunk);
      state.push([key, bytes]);
    }
    return state;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 6 }), fc.array(operation), async (before, during) => {
      const [base, model] = [new MemoryStorage('base'), new MemoryStorage('model')];
      for (const each of before) await Promise.all([base, model].map((to) => apply(to, each)));
      const untouched = await stateOf(base);
      const storage = dryRunStorage(readOnlyStorage(base), () => {});
      for (const each of during) await Promise.all([storage, model].map((to) => apply(to, each)));
      expect(await stateOf(storage)).toEqual(await stateOf(model));
      expect(await stateOf(base)).toEqual(untouched);
    }),
  );
});

describe('the base', () => {
  it.each(['read', 'write'] as const)('is asked whether it can be used to %s', async (access) => {
    const refusing: Storage = {
      ...readOnlyStorage(base),
      check: async (asked) => {
        throw new ConfigurationInvalid(`no bucket to ${asked}`);
      },
    };
    await expect(dryRunStorage(refusing, () => {}).check(access)).rejects.toThrow(`no bucket to ${access}`);
  });

  it('fails the writes that it cannot be asked about', async () => {
    const refusing: Storage = {
      ...readOnlyStorage(base),
      get: async () => {
        throw new PermissionDenied('get');
      },
    };
    await expect(dryRunStorage(refusing, () => {}).put('k', NEW)).rejects.toThrow(PermissionDenied);
  });

  it('may close the objects that were only looked up', async () => {
    let returned = 0;
    const body: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => body,
      next: () => expect.fail('the body was read'),
      return: async () => ({ done: true, value: returned++ }),
    };
    const opening: Storage = { ...readOnlyStorage(base), get: async () => ({ version: 'v', size: 9, body }) };
    await dryRunStorage(opening, () => {}).put('k', NEW);
    expect(returned).toBe(1);
  });
});
