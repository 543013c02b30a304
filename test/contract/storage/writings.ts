import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectBody, ObjectVersion, Storage } from '../../../common/ports/storage.ts';
import { chunks, content, failing, keysOf, NEW, OLD, stalling } from './fixtures.ts';

/** The three ways to write, each as an overwrite of what `old` describes. */
interface Writing {
  readonly method: string;
  readonly write: (
    storage: Storage,
    body: ObjectBody,
    old: ObjectVersion | undefined,
    signal?: AbortSignal,
  ) => Promise<ObjectVersion | undefined>;
  /** Whether there is an object before. */
  readonly onOld: boolean;
}

const optional = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal ? { signal } : {});

const WRITINGS: readonly Writing[] = [
  {
    method: 'put of a new object',
    write: (storage, body, _, signal) => storage.put('k', body, optional(signal)),
    onOld: false,
  },
  {
    method: 'put over an object',
    write: (storage, body, _, signal) => storage.put('k', body, optional(signal)),
    onOld: true,
  },
  {
    method: 'createIfAbsent',
    write: (storage, body, _, signal) => storage.createIfAbsent('k', body, optional(signal)),
    onOld: false,
  },
  {
    method: 'replaceIfUnchanged',
    write: (storage, body, old, signal) => storage.replaceIfUnchanged('k', old ?? '', body, optional(signal)),
    onOld: true,
  },
];

/** What holds for every method that writes. */
export function writingContract(make: () => Promise<Storage>): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await make();
  });

  describe.each(WRITINGS)('$method', ({ write, onOld }) => {
    let old: ObjectVersion | undefined;
    beforeEach(async () => {
      old = onOld ? await storage.put('k', OLD) : undefined;
    });

    const expectUntouched = async (): Promise<void> => {
      expect(await content(storage)).toBe(onOld ? 'old' : undefined);
      expect(await keysOf(storage.list())).toEqual(onOld ? ['k'] : []);
      if (onOld) expect((await storage.get('k')).version).toBe(old);
    };

    it('stores the body under the version that it returns', async () => {
      const version = await write(storage, chunks(Buffer.from('n'), Buffer.from('ew')), old);
      expect(version).toBeTypeOf('string');
      expect(await storage.get('k')).toMatchObject({ version, size: 3 });
      expect(await content(storage)).toBe('new');
    });

    it('changes nothing if the body fails midway, and fails as the body did', async () => {
      const err = new Error('body');
      await expect(write(storage, failing(err), old)).rejects.toBe(err);
      await expectUntouched();
    });

    it('changes nothing if aborted before', async () => {
      const reason = new Error('before');
      await expect(write(storage, NEW, old, AbortSignal.abort(reason))).rejects.toBe(reason);
      await expectUntouched();
    });

    it.each([
      ['by the body itself', (abort: () => void) => abort()],
      ['while the body keeps it waiting', (abort: () => void) => void setImmediate(abort)],
    ])('changes nothing if aborted midway, %s', async (_, when) => {
      const reason = new Error('midway');
      const controller = new AbortController();
      const body = stalling(() => when(() => controller.abort(reason)));
      await expect(write(storage, body, old, controller.signal)).rejects.toBe(reason);
      await expectUntouched();
    });
  });
}
