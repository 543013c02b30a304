import { expect, it } from 'vitest';
import { MemoryStorage } from '../../../../common/backends/storage/memory.ts';

it('says its name in its URL and errors', async () => {
  const storage = new MemoryStorage('peer');
  expect(storage.url).toBe('memory://peer');
  await expect(storage.get('a/b')).rejects.toThrow("no object 'a/b' in memory://peer");
});

it('shares nothing with another of its name', async () => {
  await new MemoryStorage('same').put('k', Buffer.of(1));
  await expect(new MemoryStorage('same').get('k')).rejects.toThrow('no object');
});
