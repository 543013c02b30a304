import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { ObjectMissing, PermissionDenied, StorageUnavailable } from '../../../common/errors.ts';
import type { Storage, StoredObject } from '../../../common/ports/storage.ts';
import { hasObject, readIfThere, readObject, readWhole } from '../../../common/runtime/read-object.ts';

/** A storage that holds `k`, whose `get` may be another one at each attempt. */
async function storageWith(
  attempts: readonly ((get: () => Promise<StoredObject>) => Promise<StoredObject>)[],
): Promise<{ storage: Storage; gets: () => number; version: string }> {
  const base = new MemoryStorage('read-object');
  const version = await base.put('k', Buffer.from('whole'));
  let gets = 0;
  const storage = Object.create(base, {
    get: {
      value: (key: string): Promise<StoredObject> => {
        const attempt = attempts[gets++] ?? ((get) => get());
        return attempt(() => base.get(key));
      },
    },
  }) as Storage;
  return { storage, gets: () => gets, version };
}

const brokenOff = async (get: () => Promise<StoredObject>): Promise<StoredObject> => ({
  ...(await get()),
  body: (async function* () {
    yield Buffer.from('who');
    throw new StorageUnavailable('broken off');
  })(),
});
const failing = (err: Error) => async (): Promise<never> => {
  throw err;
};

describe('readWhole', () => {
  it('gives bytes and version', async () => {
    const { storage, version } = await storageWith([]);
    expect(await readWhole(storage, 'k')).toEqual({ bytes: Buffer.from('whole'), version });
    expect(await readObject(storage, 'k')).toEqual(Buffer.from('whole'));
  });

  it('reads a body that breaks off again, from the start, twice', async () => {
    const { storage, gets } = await storageWith([brokenOff, brokenOff]);
    expect(await readObject(storage, 'k')).toEqual(Buffer.from('whole'));
    expect(gets()).toBe(3);
  });

  it('fails if it breaks off every time', async () => {
    const { storage, gets } = await storageWith([brokenOff, brokenOff, brokenOff]);
    await expect(readObject(storage, 'k')).rejects.toThrow('broken off');
    expect(gets()).toBe(3);
  });

  it.each([
    new StorageUnavailable('down'),
    new PermissionDenied('no'),
    new ObjectMissing('none'),
    new TypeError('bug'),
  ])('leaves what storages repeat themselves to them: %s', async (err) => {
    const { storage, gets } = await storageWith([failing(err)]);
    await expect(readObject(storage, 'k')).rejects.toBe(err);
    expect(gets()).toBe(1);
  });

  it('ends at the signal', async () => {
    const { storage } = await storageWith([]);
    const reason = new Error('enough');
    await expect(readObject(storage, 'k', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('hasObject', () => {
  it('tells whether there is one', async () => {
    const { storage } = await storageWith([]);
    expect(await hasObject(storage, 'k')).toBe(true);
    expect(await hasObject(new MemoryStorage('other'), 'k')).toBe(false);
  });
});

describe('readIfThere', () => {
  it('gives what readWhole gives, nothing for no object, and fails as it does', async () => {
    const { storage, version } = await storageWith([]);
    expect(await readIfThere(storage, 'k')).toEqual({ bytes: Buffer.from('whole'), version });
    expect(await readIfThere(storage, 'other')).toBeUndefined();
    const refused = await storageWith([failing(new PermissionDenied('no'))]);
    await expect(readIfThere(refused.storage, 'k')).rejects.toThrow(PermissionDenied);
  });
});
