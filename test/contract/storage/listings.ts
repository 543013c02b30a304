import { beforeEach, describe, expect, it } from 'vitest';
import type { Storage } from '../../../common/ports/storage.ts';
import { keysOf, NEW, OLD, putAll, type StorageTraits } from './fixtures.ts';

/** What holds for listings. */
export function listingContract(make: () => Promise<Storage>, { manyKeys }: StorageTraits): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await make();
  });

  describe('a listing', () => {
    const KEYS: readonly string[] = ['a-1/x', 'a.txt', 'a/b', 'a/b-c', 'a/c/d', 'a/c0', 'a0', 'b'];

    it('of nothing is empty', async () => {
      expect(await keysOf(storage.list())).toEqual([]);
      expect(await keysOf(storage.list({ prefix: 'a/' }))).toEqual([]);
    });

    it('is in the ASCII order of whole keys', async () => {
      await putAll(storage, KEYS.toReversed());
      expect(await keysOf(storage.list())).toEqual(KEYS);
    });

    it.each([
      ['', '', KEYS],
      ['a/', '', ['a/b', 'a/b-c', 'a/c/d', 'a/c0']],
      ['a', '', KEYS.slice(0, -1)],
      ['a/c', '', ['a/c/d', 'a/c0']],
      ['a/c/', '', ['a/c/d']],
      ['a/c/d', '', ['a/c/d']],
      ['a/c/d/', '', []],
      ['c', '', []],
      ['../', '', []],
      ['/', '', []],
      ['.dsp/', '', []],
      ['', 'a/b', KEYS.slice(2)],
      ['', 'a/b!', KEYS.slice(3)],
      ['', 'a/c/e', ['a/c0', 'a0', 'b']],
      ['', 'a/', KEYS.slice(2)],
      ['', 'a', KEYS],
      ['', 'c', []],
      ['a/', 'a/b-c', ['a/b-c', 'a/c/d', 'a/c0']],
      ['a/c', 'a/c/e', ['a/c0']],
      ['a/', 'b', []],
      ['b', 'a', ['b']],
    ] as const)('with prefix %j from %j is %j', async (prefix, startAt, expected) => {
      await putAll(storage, KEYS);
      expect(await keysOf(storage.list({ prefix, startAt }))).toEqual(expected);
    });

    it(`has ${manyKeys} keys, of which a consumer may take a few`, async () => {
      const keys = Array.from({ length: manyKeys }, (_, i) => `d${i % 7}/${String(i).padStart(5, '0')}`).sort();
      await putAll(storage, keys);
      expect(await keysOf(storage.list())).toEqual(keys);
      const few: string[] = [];
      for await (const key of storage.list()) if (few.push(key) === 3) break;
      expect(few).toEqual(keys.slice(0, 3));
      expect(await keysOf(storage.list({ prefix: 'd3/', startAt: 'd3/008' }))).toEqual(
        keys.filter((key) => key.startsWith('d3/') && key >= 'd3/008'),
      );
    });

    it('shows objects only, whatever the storage keeps beside them', async () => {
      await storage.createIfAbsent('k', OLD);
      for (let i = 0; i < 3; i++) {
        const { version } = await storage.get('k');
        await storage.replaceIfUnchanged('k', version, NEW);
      }
      async function* looking(): AsyncGenerator<Uint8Array> {
        yield OLD;
        expect(await keysOf(storage.list())).toEqual(['k']);
      }
      await storage.put('l', looking());
      expect(await keysOf(storage.list())).toEqual(['k', 'l']);
      expect(await keysOf(storage.list({ prefix: '.' }))).toEqual([]);
    });
  });

  describe('a folder', () => {
    const KEYS: readonly string[] = ['a-1/x', 'a.txt', 'a/b', 'a/b-c', 'a/c/d', 'a/c/e', 'a0', 'b/c/d', 'c'];

    it.each([
      ['', ['a-1/', 'a.txt', 'a/', 'a0', 'b/', 'c']],
      ['a', ['a-1/', 'a.txt', 'a/', 'a0']],
      ['a/', ['a/b', 'a/b-c', 'a/c/']],
      ['a/c/', ['a/c/d', 'a/c/e']],
      ['b', ['b/']],
      ['c', ['c']],
      ['d', []],
    ] as const)('with prefix %j is %j', async (prefix, expected) => {
      await putAll(storage, KEYS);
      expect(await keysOf(storage.listFolder({ prefix }))).toEqual(expected);
    });

    it('of nothing is empty, and an abort stops it', async () => {
      expect(await keysOf(storage.listFolder())).toEqual([]);
      await putAll(storage, KEYS);
      const reason = new Error('aborted');
      await expect(keysOf(storage.listFolder({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    });
  });
}
