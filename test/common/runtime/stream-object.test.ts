import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { ObjectMissing, PermissionDenied, StorageUnavailable } from '../../../common/errors.ts';
import type { Storage, StorageOptions, StoredObject } from '../../../common/ports/storage.ts';
import { streamObject } from '../../../common/runtime/stream-object.ts';

/** How the body of one `get` behaves: the ends of its chunks, and the error after the last of them, if any. */
interface Attempt {
  readonly ends: readonly number[];
  readonly failing?: Error;
  /** Before it is opened. */
  readonly first?: (storage: Storage) => Promise<unknown>;
}

const CONTENT = Buffer.from('0123456789');
const BROKEN = new StorageUnavailable('broken off');
const WHOLE: Attempt = { ends: [3, 6, 10] };

/** A storage that holds `k`; `closed` counts the bodies that were closed before their end. */
async function scripted(
  attempts: readonly Attempt[],
): Promise<{ storage: Storage; gets: () => number; closed: () => number }> {
  const base = new MemoryStorage('stream-object');
  await base.put('k', CONTENT);
  let gets = 0;
  let closed = 0;
  const storage = Object.create(base, {
    get: {
      value: async (key: string, options?: StorageOptions): Promise<StoredObject> => {
        const { ends, failing, first } = attempts[gets++] ?? WHOLE;
        await first?.(base);
        const stored = await base.get(key, options);
        let next = 0;
        let at = 0;
        const body: AsyncIterableIterator<Uint8Array> = {
          [Symbol.asyncIterator]: () => body,
          next: async () => {
            options?.signal?.throwIfAborted();
            const end = ends[next++];
            if (end !== undefined) return { value: CONTENT.subarray(at, (at = end)) };
            if (failing) throw failing;
            return { done: true, value: undefined };
          },
          return: async () => {
            closed++;
            return { done: true, value: undefined };
          },
        };
        return { ...stored, body };
      },
    },
  }) as Storage;
  return { storage, gets: () => gets, closed: () => closed };
}

const failingWith = (err: Error) => async (): Promise<never> => {
  throw err;
};

async function chunksOf(storage: Storage): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of await streamObject(storage, 'k')) chunks.push(Buffer.from(chunk).toString());
  return chunks;
}

describe('streamObject', () => {
  it('gives the chunks of the body', async () => {
    const { storage, gets } = await scripted([]);
    expect(await chunksOf(storage)).toEqual(['012', '345', '6789']);
    expect(gets()).toBe(1);
  });

  it.each([new ObjectMissing('none'), new PermissionDenied('no'), new StorageUnavailable('down')])(
    'fails at once if it cannot be opened, and leaves what storages repeat themselves to them: %s',
    async (err) => {
      const { storage, gets } = await scripted([{ ...WHOLE, first: failingWith(err) }]);
      await expect(streamObject(storage, 'k')).rejects.toBe(err);
      expect(gets()).toBe(1);
    },
  );

  it('goes on where a body broke off, whatever the chunks are then', async () => {
    const { storage } = await scripted([
      { ends: [3, 6], failing: BROKEN },
      { ends: [1, 1, 6, 7], failing: BROKEN },
      { ends: [10] },
    ]);
    expect(await chunksOf(storage)).toEqual(['012', '345', '6', '789']);
  });

  it('opens it again twice, counted anew after progress', async () => {
    const { storage, gets } = await scripted([
      { ends: [3], failing: BROKEN },
      { ends: [2], failing: BROKEN },
      { ends: [4], failing: BROKEN },
      { ends: [], failing: BROKEN },
      { ends: [4, 10] },
    ]);
    expect((await chunksOf(storage)).join('')).toBe('0123456789');
    expect(gets()).toBe(5);
  });

  it('fails if it gets no further', async () => {
    const attempt = { ends: [3], failing: BROKEN };
    const { storage, gets } = await scripted([attempt, attempt, attempt]);
    await expect(chunksOf(storage)).rejects.toBe(BROKEN);
    expect(gets()).toBe(3);
  });

  it('fails, to be retried, if the object is another one by then', async () => {
    const { storage, gets, closed } = await scripted([
      { ends: [3], failing: BROKEN },
      { ...WHOLE, first: (storage) => storage.put('k', CONTENT) },
    ]);
    const err = await chunksOf(storage).catch((err: unknown) => err);
    expect(err).toBeInstanceOf(StorageUnavailable);
    expect(err).toMatchObject({
      fate: 'retry',
      message: expect.stringContaining('k in memory://stream-object was replaced'),
    });
    expect({ gets: gets(), closed: closed() }).toEqual({ gets: 2, closed: 1 });
  });

  it('fails if the object is gone by then', async () => {
    const { storage } = await scripted([
      { ends: [3], failing: BROKEN },
      { ...WHOLE, first: (storage) => storage.delete('k') },
    ]);
    await expect(chunksOf(storage)).rejects.toThrow(ObjectMissing);
  });

  it('fails if the object ends before what has been given', async () => {
    const short = { ends: [2] };
    const { storage } = await scripted([{ ends: [3], failing: BROKEN }, short, short, short]);
    await expect(chunksOf(storage)).rejects.toThrow('ended 1 bytes before');
  });

  it.each([new TypeError('bug'), new PermissionDenied('no')])(
    'does not go on after another failure: %s',
    async (err) => {
      const { storage, gets } = await scripted([{ ends: [3], failing: err }]);
      await expect(chunksOf(storage)).rejects.toBe(err);
      expect(gets()).toBe(1);
    },
  );

  it('ends at the signal, and lets go of the body', async () => {
    const { storage, closed } = await scripted([]);
    const abort = new AbortController();
    const reason = new Error('enough');
    const chunks = await streamObject(storage, 'k', { signal: abort.signal });
    await chunks.next();
    abort.abort(reason);
    await expect(chunks.next()).rejects.toBe(reason);
    expect(closed()).toBe(1);
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
  });

  it('ends at the signal while it waits to open the object again', async () => {
    const { storage, gets } = await scripted([{ ends: [], failing: BROKEN }]);
    const abort = new AbortController();
    const reason = new Error('enough');
    const chunks = await streamObject(storage, 'k', { signal: abort.signal });
    const next = chunks.next();
    setImmediate(() => abort.abort(reason));
    await expect(next).rejects.toBe(reason);
    expect(gets()).toBe(1);
  });

  it('lets go of a body that nobody read, or not to its end', async () => {
    const { storage, closed } = await scripted([]);
    {
      await using _unread = await streamObject(storage, 'k');
    }
    expect(closed()).toBe(1);
    for await (const _ of await streamObject(storage, 'k')) break;
    expect(closed()).toBe(2);
  });
});
