import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStorage } from '../../../../common/backends/storage/file.ts';
import {
  ConfigurationInvalid,
  ObjectKeyInvalid,
  ObjectMissing,
  PermissionDenied,
  StorageUnavailable,
} from '../../../../common/errors.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';
import { asOrdinaryUser } from '../../../support/ordinary-user.ts';
import { cannotRun } from '../../../support/skip.ts';

const HOUR_S = 3600;
const LARGE = Buffer.alloc(3 * 1024 * 1024, 1);
const OPEN_FILES = '/proc/self/fd';

let root: string;
let storage: FileStorage;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dsp-file-'));
  storage = new FileStorage(root);
});

afterEach(() => rm(root, { recursive: true }));

async function keys(): Promise<string[]> {
  const all: string[] = [];
  for await (const key of storage.list()) all.push(key);
  return all;
}

function tempDirectory(name: string): string {
  return join(root, '.dsp', 'tmp', name);
}

async function openFiles(): Promise<number> {
  return (await readdir(OPEN_FILES)).length;
}

/** The temporary directory of a dead writer. */
async function leftover(name: string, ageHours: number): Promise<void> {
  await mkdir(tempDirectory(name), { recursive: true });
  await writeFile(join(tempDirectory(name), '1'), 'half');
  const then = (await stat(tempDirectory(name))).mtimeMs / 1000 - ageHours * HOUR_S;
  await utimes(tempDirectory(name), then, then);
}

async function tempFiles(): Promise<string[]> {
  const entries = await readdir(join(root, '.dsp', 'tmp'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe('what other programs see', () => {
  it('is a plain file for each object, with the bytes of the last replacement', async () => {
    const version = await storage.put('a/b/c', Buffer.from('old'));
    await storage.replaceIfUnchanged('a/b/c', version, Buffer.from('new'));
    expect(await readFile(join(root, 'a/b/c'), 'utf8')).toBe('new');
    expect((await readdir(root)).toSorted()).toEqual(['.dsp', 'a']);
  });

  it('is an object for each plain file that has a good name', async () => {
    await mkdir(join(root, 'd'));
    for (const name of ['a', 'ä', 'x\\y', 'd/b']) await writeFile(join(root, name), name);
    await symlink(join(root, 'a'), join(root, 'link'));
    expect(await keys()).toEqual(['a', 'd/b']);
    expect((await readObject(storage, 'd/b')).toString()).toBe('d/b');
  });

  it('leaves no temporary file, whatever became of the writing', async () => {
    const version = await storage.put('k', LARGE);
    await storage.replaceIfUnchanged('k', version, LARGE);
    await storage.createIfAbsent('l', LARGE);
    await storage.createIfAbsent('l', LARGE);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield LARGE;
      throw new Error('body');
    }
    await expect(storage.put('k', failing())).rejects.toThrow('body');
    expect(await tempFiles()).toEqual([]);
  });
});

describe('the root', () => {
  it('is given by an absolute URL', () => {
    expect(storage.url).toBe(pathToFileURL(root).href);
    expect(new FileStorage('a b').url).toBe(pathToFileURL(join(process.cwd(), 'a b')).href);
  });

  it('need not exist: nothing is made until something is written', async () => {
    storage = new FileStorage(join(root, 'not', 'yet'));
    expect(await keys()).toEqual([]);
    await expect(storage.get('k')).rejects.toThrow(ObjectMissing);
    await storage.delete('k');
    expect(await storage.replaceIfUnchanged('k', '1-1', Buffer.of())).toBeUndefined();
    expect(await readdir(root)).toEqual([]);
    await storage.put('k', Buffer.of());
    expect(await keys()).toEqual(['k']);
  });
});

describe('failures', () => {
  it('names an access that the system refuses', async () => {
    await storage.put('a/k', Buffer.of());
    await chmod(join(root, 'a'), 0);
    try {
      await asOrdinaryUser(async () => {
        await expect(storage.get('a/k')).rejects.toThrow(PermissionDenied);
        await expect(keys()).rejects.toThrow(PermissionDenied);
      });
    } finally {
      await chmod(join(root, 'a'), 0o700);
    }
  });

  it('names a check that fails', async () => {
    await expect(new FileStorage(join(root, 'missing')).check('read')).rejects.toThrow(ConfigurationInvalid);
    await chmod(root, 0);
    await asOrdinaryUser(async () => {
      await expect(storage.check('read')).rejects.toThrow(PermissionDenied);
      await expect(new FileStorage(join(root, 'below')).check('write')).rejects.toThrow(PermissionDenied);
    });
    await chmod(root, 0o700);
  });

  it('refuses to hold both a and a/b, and says so', async () => {
    await storage.put('a', Buffer.from('1'));
    await storage.put('c/d', Buffer.from('2'));
    for (const key of ['a/b', 'c']) {
      for (const method of ['put', 'createIfAbsent'] as const) {
        const writing = storage[method](key, Buffer.of());
        await expect(writing).rejects.toThrow(StorageUnavailable);
        await expect(writing).rejects.toThrow(`'${key}' in ${storage.url} (a directory cannot hold both`);
      }
      await expect(storage.get(key)).rejects.toThrow(ObjectMissing);
      expect(await storage.replaceIfUnchanged(key, '1-1', Buffer.of())).toBeUndefined();
      await storage.delete(key);
    }
    expect(await keys()).toEqual(['a', 'c/d']);
  });

  it('takes a name that is too long for the file system for a bad key', async () => {
    await expect(storage.put('x'.repeat(300), Buffer.of())).rejects.toThrow(ObjectKeyInvalid);
  });

  it('keeps the cause, and names operation, key and storage', async () => {
    await writeFile(join(root, '.dsp'), 'in the way');
    await expect(storage.put('k', Buffer.of())).rejects.toMatchObject({
      code: 'E_STORAGE_UNAVAILABLE',
      message: expect.stringContaining(`cannot put 'k' in ${storage.url}`),
      cause: { syscall: 'mkdir' },
    });
  });

  it('does not wait for the writer of a named pipe', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(storage.get('pipe')).rejects.toThrow(ObjectMissing);
  });

  it('notices a file that another program cuts short while it is read', async () => {
    await storage.put('k', LARGE);
    const { body } = await storage.get('k');
    await truncate(join(root, 'k'), 10);
    const reading = (async () => {
      for await (const chunk of body) expect(chunk.length).toBeGreaterThan(0);
    })();
    await expect(reading).rejects.toThrow(StorageUnavailable);
  });
});

describe.skipIf(
  cannotRun(existsSync(OPEN_FILES), `open files of a storage, as there is no ${OPEN_FILES} to count them`),
)('an object read in part', () => {
  it.each([
    [
      'stopped early',
      async (body: AsyncIterable<Uint8Array>) => {
        for await (const chunk of body) if (chunk.length > 0) break;
      },
    ],
    [
      'returned unread',
      async (body: AsyncIterable<Uint8Array>) => {
        const iterator = body[Symbol.asyncIterator]();
        await iterator.return?.();
        expect(await iterator.next()).toEqual({ done: true, value: undefined });
      },
    ],
    [
      'aborted unread',
      async (_: AsyncIterable<Uint8Array>, controller: AbortController) => {
        controller.abort();
      },
    ],
  ])('leaves no open file when %s', async (_, finish) => {
    await storage.put('k', LARGE);
    // The first call of a process may open files that stay open.
    await readObject(storage, 'k');
    const before = await openFiles();
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      const { body } = await storage.get('k', { signal: controller.signal });
      await finish(body, controller);
    }
    await expect.poll(openFiles).toBe(before);
  });
});

describe('temporary directories', () => {
  it('of writers that died a day ago are removed, younger ones are not', async () => {
    await leftover('dead', 25);
    await leftover('busy', 23);
    await storage.put('k', Buffer.of());
    expect(existsSync(tempDirectory('dead'))).toBe(false);
    expect(existsSync(tempDirectory('busy'))).toBe(true);
  });

  it('that another process removed are made again', async () => {
    await storage.put('k', Buffer.from('1'));
    await rm(join(root, '.dsp'), { recursive: true });
    await storage.put('k', Buffer.from('2'));
    expect((await readObject(storage, 'k')).toString()).toBe('2');
  });
});
