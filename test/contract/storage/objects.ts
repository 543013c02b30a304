import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { ObjectMissing } from '../../../common/errors.ts';
import type { ObjectVersion, Storage } from '../../../common/ports/storage.ts';
import { readObject } from '../../../common/runtime/read-object.ts';
import { bytesOf, chunks, content, keysOf, MEBIBYTE, NEW, OLD, type StorageTraits } from './fixtures.ts';

/** What holds for one object that is put, read and deleted. */
export function objectContract(make: () => Promise<Storage>, traits: StorageTraits): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await make();
  });

  it('can be checked before any work, which changes nothing', async () => {
    await storage.check('write');
    await storage.put('k', OLD);
    await storage.check('read');
    await storage.check('write');
    expect(await keysOf(storage.list())).toEqual(['k']);
    expect((await readObject(storage, 'k')).toString()).toBe('old');
  });

  describe('one object', () => {
    it('is missing before it is put, which is worth a retry', async () => {
      await expect(storage.get('a/b')).rejects.toMatchObject({ code: 'E_OBJECT_MISSING', fate: 'retry' });
      await expect(storage.get('a/b')).rejects.toThrow("'a/b'");
    });

    it('is missing where there are only longer keys', async () => {
      await storage.put('a/b/c', OLD);
      await expect(storage.get('a/b')).rejects.toThrow(ObjectMissing);
      await storage.delete('a/b');
      expect((await readObject(storage, 'a/b/c')).toString()).toBe('old');
    });

    it('is what the last put gave, with its size and version', async () => {
      await storage.put('k', OLD);
      const version = await storage.put('k', Buffer.from('newest'));
      const { body, ...rest } = await storage.get('k');
      expect(rest).toEqual({ version, size: 6 });
      expect((await bytesOf(body)).toString()).toBe('newest');
    });

    const contents = ['another', ...(traits.versionsDistinguishEqualContent ? ['the same'] : [])];
    it.each(contents)('has another version after each put, of %s content', async (which) => {
      const versions = new Set<ObjectVersion>();
      for (let i = 0; i < 20; i++) {
        versions.add(await storage.put('k', which === 'the same' ? OLD : Buffer.from(String(i))));
      }
      expect(versions.size).toBe(20);
    });

    it('may be empty', async () => {
      await storage.put('k', new Uint8Array());
      expect(await storage.get('k')).toMatchObject({ size: 0 });
      expect(await content(storage)).toBe('');
      await storage.put('k', chunks());
      expect(await content(storage)).toBe('');
    });

    it('is put together from chunks of any size', async () => {
      const bytes = Buffer.alloc(300_001, 'abcdefg');
      const cuts = [0, 0, 1, 8, 4096, 4097, 70_000, 299_999, 300_001];
      await storage.put('k', chunks(...cuts.map((cut, i) => bytes.subarray(cut, cuts[i + 1] ?? bytes.length))));
      expect((await readObject(storage, 'k')).equals(bytes)).toBe(true);
    });

    it('keeps its bytes when the caller reuses the buffer', async () => {
      const buffer = Buffer.from('kept');
      await storage.put('k', buffer);
      buffer.fill('x');
      expect(await content(storage)).toBe('kept');
      for await (const chunk of (await storage.get('k')).body) chunk.fill(0);
      expect(await content(storage)).toBe('kept');
    });

    it('may have 64 MiB, streamed both ways', async () => {
      const sent = createHash('sha256');
      async function* large(): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < 64; i++) {
          const chunk = Buffer.alloc(MEBIBYTE, i + 1);
          sent.update(chunk);
          yield chunk;
        }
      }
      await storage.put('k', large());
      const { size, body } = await storage.get('k');
      const received = createHash('sha256');
      for await (const chunk of body) received.update(chunk);
      expect(size).toBe(64 * MEBIBYTE);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    });

    it('lets a reader stop early', async () => {
      await storage.put('k', Buffer.alloc(3 * MEBIBYTE, 1));
      for await (const chunk of (await storage.get('k')).body) {
        expect(chunk[0]).toBe(1);
        break;
      }
      await storage.put('k', NEW);
      expect(await content(storage)).toBe('new');
    });

    it.each([1, 3 * MEBIBYTE])(
      'of %i bytes reads as it was when the get began, whatever is put or deleted',
      async (size) => {
        await storage.put('k', Buffer.alloc(size, 1));
        const { body } = await storage.get('k');
        await storage.put('k', Buffer.alloc(size, 2));
        await storage.delete('k');
        expect((await bytesOf(body)).equals(Buffer.alloc(size, 1))).toBe(true);
      },
    );

    it('reads wholly old or wholly new while it is put', async () => {
      const states = [1, 2, 3, 4].map((fill) => Buffer.alloc(1.5 * MEBIBYTE, fill));
      await storage.put('k', states[0] ?? OLD);
      const puts = states.map((state) => storage.put('k', state));
      const reads = Array.from({ length: 8 }, () => readObject(storage, 'k'));
      for (const read of await Promise.all(reads)) expect(states.some((state) => state.equals(read))).toBe(true);
      await Promise.all(puts);
    });

    it('is gone once deleted, and a second delete is fine', async () => {
      await storage.put('k', OLD);
      await storage.delete('k');
      await storage.delete('k');
      expect(await content(storage)).toBeUndefined();
      expect(await keysOf(storage.list())).toEqual([]);
    });
  });
}
