import { beforeEach, describe, expect, it } from 'vitest';
import { ObjectKeyInvalid } from '../../../common/errors.ts';
import type { Storage } from '../../../common/ports/storage.ts';
import { readObject } from '../../../common/runtime/read-object.ts';
import { keysOf, OLD } from './fixtures.ts';

const BAD_KEYS: readonly string[] = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/./b',
  'a/../../b',
  'a\\b',
  'a\nb',
  'a\0b',
  'ä',
  '.dsp',
  '.dsp/next/a',
  'a/'.repeat(512) + 'b',
];

const GOOD_KEYS: readonly string[] = [
  'a',
  'a b',
  '.a',
  '...',
  'a/.dsp',
  '~!@#$%^&*()=+[]{};:\'",<>?|`',
  'a/'.repeat(511) + 'bc',
];

/** Which keys there may be. */
export function keyContract(make: () => Promise<Storage>): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await make();
  });

  describe('keys', () => {
    it.each(BAD_KEYS)('refuses the key %j in every method', async (key) => {
      for (const call of [
        () => storage.get(key),
        () => storage.put(key, OLD),
        () => storage.createIfAbsent(key, OLD),
        () => storage.replaceIfUnchanged(key, 'v', OLD),
        () => storage.delete(key),
      ]) {
        await expect(call()).rejects.toThrow(ObjectKeyInvalid);
      }
      expect(await keysOf(storage.list())).toEqual([]);
    });

    it.each(GOOD_KEYS)('takes the key %j', async (key) => {
      await storage.put(key, OLD);
      expect((await readObject(storage, key)).toString()).toBe('old');
      expect(await keysOf(storage.list())).toEqual([key]);
    });
  });
}
