import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectVersion, Storage } from '../../../common/ports/storage.ts';
import { bytesOf, content, NEW, OLD, type StorageTraits } from './fixtures.ts';

const RACERS = 10;

/** What holds for writing on condition. */
export function conditionContract(
  make: () => Promise<Storage>,
  { versionsDistinguishEqualContent }: StorageTraits,
): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await make();
  });

  describe('on condition', () => {
    it('createIfAbsent lets one of ten callers win, whose content stays', async () => {
      const bodies = Array.from({ length: RACERS }, (_, i) => Buffer.from(`racer ${i}`));
      const versions = await Promise.all(bodies.map((body) => storage.createIfAbsent('k', body)));
      const winners = bodies.filter((_, i) => versions[i] !== undefined);
      expect(winners).toHaveLength(1);
      expect(await content(storage)).toBe(winners[0]?.toString());
      expect(await storage.createIfAbsent('k', NEW)).toBeUndefined();
      expect(await content(storage)).toBe(winners[0]?.toString());
    });

    it('createIfAbsent creates again what was deleted, under another version', async () => {
      const first = await storage.createIfAbsent('k', OLD);
      await storage.delete('k');
      const second = await storage.createIfAbsent('k', versionsDistinguishEqualContent ? OLD : NEW);
      expect(second).toBeDefined();
      expect(second).not.toBe(first);
    });

    it('replaceIfUnchanged lets one of ten callers win, whose content stays', async () => {
      const version = await storage.put('k', OLD);
      const bodies = Array.from({ length: RACERS }, (_, i) => Buffer.from(`racer ${i}`));
      const versions = await Promise.all(bodies.map((body) => storage.replaceIfUnchanged('k', version, body)));
      const winners = bodies.filter((_, i) => versions[i] !== undefined);
      expect(winners).toHaveLength(1);
      expect(await content(storage)).toBe(winners[0]?.toString());
    });

    it('replaceIfUnchanged leaves an object that was put again', async () => {
      const stale = await storage.put('k', OLD);
      const version = await storage.put('k', NEW);
      expect(await storage.replaceIfUnchanged('k', stale, OLD)).toBeUndefined();
      expect(await storage.get('k')).toMatchObject({ version });
      expect(await content(storage)).toBe('new');
    });

    const cameBack = versionsDistinguishEqualContent
      ? 'notes a change also when the same content came back'
      : 'may take an object for unchanged to which the same content came back';
    it(`replaceIfUnchanged ${cameBack}`, async () => {
      const stale = await storage.put('k', OLD);
      const between = await storage.replaceIfUnchanged('k', stale, NEW);
      await storage.replaceIfUnchanged('k', between ?? '', OLD);
      expect(await content(storage)).toBe('old');
      const version = await storage.replaceIfUnchanged('k', stale, NEW);
      if (versionsDistinguishEqualContent) expect(version).toBeUndefined();
      expect(await content(storage)).toBe(version === undefined ? 'old' : 'new');
    });

    it('replaceIfUnchanged takes an object that is gone, or came back, for changed', async () => {
      const version = await storage.put('k', OLD);
      await storage.delete('k');
      expect(await storage.replaceIfUnchanged('k', version, NEW)).toBeUndefined();
      expect(await content(storage)).toBeUndefined();
      const again = versionsDistinguishEqualContent ? 'old' : 'other';
      await storage.createIfAbsent('k', Buffer.from(again));
      expect(await storage.replaceIfUnchanged('k', version, NEW)).toBeUndefined();
      expect(await content(storage)).toBe(again);
    });

    it.each(['', 'x', '../../k', '0'])(
      'replaceIfUnchanged refuses version %j, which it never gave out',
      async (version) => {
        await storage.put('k', OLD);
        expect(await storage.replaceIfUnchanged('k', version, NEW)).toBeUndefined();
        expect(await content(storage)).toBe('old');
      },
    );

    it('replaces fifty times in a row, and every former version is stale', async () => {
      const versions = [await storage.put('k', OLD)];
      for (let i = 0; i < 50; i++) {
        const next = await storage.replaceIfUnchanged('k', versions.at(-1) ?? '', Buffer.from(String(i)));
        versions.push(next ?? 'refused');
      }
      expect(new Set(versions).size).toBe(51);
      expect(await content(storage)).toBe('49');
      for (const stale of versions.slice(0, -1)) {
        expect(await storage.replaceIfUnchanged('k', stale, OLD)).toBeUndefined();
      }
    });

    it('counts every one of the increments that four callers make at once', async () => {
      await storage.put('k', Buffer.from('0'));
      const increment = async (): Promise<void> => {
        for (let version: ObjectVersion | undefined; version === undefined;) {
          const { version: seen, body } = await storage.get('k');
          const count = Number((await bytesOf(body)).toString());
          version = await storage.replaceIfUnchanged('k', seen, Buffer.from(String(count + 1)));
        }
      };
      const caller = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) await increment();
      };
      await Promise.all(Array.from({ length: 4 }, caller));
      expect(await content(storage)).toBe('40');
    });

    it('replaces after a put over a replacement', async () => {
      const first = await storage.put('k', OLD);
      await storage.replaceIfUnchanged('k', first, OLD);
      const put = await storage.put('k', OLD);
      expect(await storage.replaceIfUnchanged('k', put, NEW)).toBeDefined();
      expect(await content(storage)).toBe('new');
    });
  });
}
