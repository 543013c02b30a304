import { beforeEach, describe, expect, it } from 'vitest';
import type { Storage } from '../../../common/ports/storage.ts';
import { content, keysOf, MEBIBYTE, OLD, putAll } from './fixtures.ts';

/** What an abort does to the methods that do not write. */
export function abortContract(make: () => Promise<Storage>): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await make();
  });

  describe('an abort', () => {
    const reason = new Error('aborted');
    const signal = AbortSignal.abort(reason);

    it('stops get, list and delete before they begin', async () => {
      await storage.put('k', OLD);
      await expect(storage.get('k', { signal })).rejects.toBe(reason);
      await expect(keysOf(storage.list({ signal }))).rejects.toBe(reason);
      await expect(storage.delete('k', { signal })).rejects.toBe(reason);
      expect(await content(storage)).toBe('old');
    });

    it('stops the reading of a body', async () => {
      await storage.put('k', Buffer.alloc(3 * MEBIBYTE));
      const controller = new AbortController();
      const { body } = await storage.get('k', { signal: controller.signal });
      const reading = (async () => {
        for await (const chunk of body) if (chunk.length > 0) controller.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
    });

    it('stops a listing', async () => {
      await putAll(storage, ['a', 'b', 'c']);
      const controller = new AbortController();
      const listing = (async () => {
        for await (const key of storage.list({ signal: controller.signal })) if (key === 'b') controller.abort(reason);
      })();
      await expect(listing).rejects.toBe(reason);
    });
  });
}
