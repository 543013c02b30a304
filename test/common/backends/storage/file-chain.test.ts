import { createHash } from 'node:crypto';
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStorage } from '../../../../common/backends/storage/file.ts';
import { FileChain } from '../../../../common/backends/storage/file-chain.ts';
import { stampAt } from '../../../../common/backends/storage/file-state.ts';
import { TempFiles, type TempFile } from '../../../../common/backends/storage/file-temp.ts';
import { ObjectMissing } from '../../../../common/errors.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';

const KEY = 'a/k';
const HOUR_NS = 3_600_000_000_000n;

let root: string;
let storage: FileStorage;
let plain: string;
let chain: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dsp-chain-'));
  storage = new FileStorage(root);
  plain = join(root, KEY);
  chain = join(root, '.dsp', 'next', createHash('sha256').update(KEY).digest('hex'));
});

afterEach(() => rm(root, { recursive: true }));

const text = async (): Promise<string> => (await readObject(storage, KEY)).toString();

/** A replacement whose winner died right after it won: the plain file stays behind. */
async function replaceAndDie(content: string): Promise<{ temp: string; version: string }> {
  const { version } = await storage.get(KEY);
  const temp = join(root, `.dsp/dead-${content}`);
  await writeFile(temp, content);
  await mkdir(chain, { recursive: true });
  await link(temp, join(chain, version));
  return { temp, version: (await stampAt(temp))?.version ?? 'none' };
}

async function replace(content: string): Promise<string | undefined> {
  const { version } = await storage.get(KEY);
  return storage.replaceIfUnchanged(KEY, version, Buffer.from(content));
}

describe('a replacement whose winner died before it moved the plain file on', () => {
  beforeEach(async () => {
    await storage.put(KEY, Buffer.from('0'));
  });

  it('is what everybody reads', async () => {
    const { version } = await replaceAndDie('1');
    expect(await readFile(plain, 'utf8')).toBe('0');
    expect(await text()).toBe('1');
    expect(await storage.get(KEY)).toMatchObject({ version, size: 1 });
  });

  it('makes the version of the plain file stale', async () => {
    const { version } = await storage.get(KEY);
    await replaceAndDie('1');
    expect(await storage.replaceIfUnchanged(KEY, version, Buffer.from('2'))).toBeUndefined();
    expect(await text()).toBe('1');
  });

  it('may be followed by others like it, and by one that lives', async () => {
    await replaceAndDie('1');
    await replaceAndDie('2');
    expect(await text()).toBe('2');
    expect(await replace('3')).toBeDefined();
    expect(await readFile(plain, 'utf8')).toBe('3');
  });

  it('is overwritten by a put and removed by a delete', async () => {
    await replaceAndDie('1');
    await storage.put(KEY, Buffer.from('2'));
    expect(await text()).toBe('2');
    expect(await readFile(plain, 'utf8')).toBe('2');
    await replaceAndDie('3');
    await storage.delete(KEY);
    await expect(text()).rejects.toThrow(`no object '${KEY}'`);
    await expect(stat(chain)).rejects.toThrow('ENOENT');
  });
});

describe('a winner that is slow to move the plain file on', () => {
  it.each([
    ['replacements', async () => replace('2')],
    ['a put', async () => storage.put(KEY, Buffer.from('2'))],
  ])('does not undo %s that came later', async (_, later) => {
    await storage.put(KEY, Buffer.from('0'));
    const { temp } = await replaceAndDie('1');
    await later();
    await rename(temp, plain);
    expect(await readFile(plain, 'utf8')).toBe('1');
    expect(await text()).toBe('2');
    await replace('3');
    expect(await readFile(plain, 'utf8')).toBe('3');
  });

  it.each([
    ['deleted', async () => {}, undefined],
    ['deleted and created again', async () => void (await storage.createIfAbsent(KEY, Buffer.from('2'))), '2'],
  ])('has not won if the object was %s just before', async (_, afterwards, expected) => {
    const version = await storage.put(KEY, Buffer.from('0'));
    const temp = await new TempFiles(join(root, '.dsp/tmp')).create();
    const slow: TempFile = {
      ...temp,
      // Comes after the version was found to be the newest.
      async stamp(afterNs) {
        await storage.delete(KEY);
        await afterwards();
        return temp.stamp(afterNs);
      },
    };
    expect(await new FileChain(join(root, '.dsp/next')).replace(KEY, plain, version, slow)).toBeUndefined();
    await temp.discard();
    expect(await text().catch((err: unknown) => (err instanceof ObjectMissing ? undefined : err))).toBe(expected);
    expect(await readdir(chain)).toEqual([]);
  });
});

describe('the links of old replacements', () => {
  it('are kept for an hour after they were superseded', async () => {
    await storage.put(KEY, Buffer.from('0'));
    const nowNs = (await stat(plain, { bigint: true })).mtimeNs;
    const aged = (halfHours: bigint): string => `1-${nowNs - (halfHours * HOUR_NS) / 2n}`;
    await mkdir(chain, { recursive: true });
    for (const version of [aged(7n), aged(5n), aged(1n)]) await writeFile(join(chain, version), 'superseded');
    const { version } = await storage.get(KEY);
    await replace('1');
    // The second was made long ago, but what it leads to was the newest until half an hour ago.
    expect(new Set(await readdir(chain))).toEqual(new Set([aged(5n), aged(1n), version]));
    expect(await text()).toBe('1');
  });
});

describe('the time stamp of a written file', () => {
  it('is later than that of its predecessor, also if that is of the future', async () => {
    const file = await new TempFiles(join(root, 'tmp')).create();
    const { mtimeNs } = await file.stamp();
    for (const afterNs of [mtimeNs, mtimeNs + HOUR_NS]) {
      const stamp = await file.stamp(afterNs);
      expect(stamp.mtimeNs).toBeGreaterThan(afterNs);
      expect(stamp.mtimeNs - afterNs).toBeLessThan(10_000_000n);
      expect(stamp).toEqual(await stampAt(file.path));
    }
    await file.discard();
  });

  it('differs among files of one tick of the clock', async () => {
    const temp = new TempFiles(join(root, 'tmp'));
    const files = [await temp.create(), await temp.create(), await temp.create()];
    const tick = new Set<bigint>();
    for (const file of files) {
      // As a slow clock would have it, and a file system that gives out one inode number again and again.
      await file.handle.utimes(1_700_000_000, 1_700_000_000);
      tick.add((await file.stamp()).mtimeNs);
    }
    expect(tick.size).toBe(3);
    for (const file of files) await file.discard();
  });
});
