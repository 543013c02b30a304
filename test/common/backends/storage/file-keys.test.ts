import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fileKeys } from '../../../../common/backends/storage/file-keys.ts';
import type { ListOptions } from '../../../../common/ports/storage.ts';

// Only watched: which directories are read cannot be told from the keys.
vi.mock('node:fs/promises', { spy: true });

let root: string;
let url: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dsp-keys-'));
  url = pathToFileURL(root).href;
});

afterEach(() => rm(root, { recursive: true }));

async function make(files: readonly string[]): Promise<void> {
  for (const key of files) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), '');
  }
}

async function keys(options: ListOptions): Promise<string[]> {
  const all: string[] = [];
  for await (const key of fileKeys(root, url, options)) all.push(key);
  return all;
}

describe('a listing', () => {
  it.each([
    [{}, ['', 'a', 'a/1', 'a/2', 'a/3', 'b', 'b/1']],
    [{ prefix: 'a/' }, ['a', 'a/1', 'a/2', 'a/3']],
    [{ prefix: 'a' }, ['', 'a', 'a/1', 'a/2', 'a/3']],
    [{ prefix: 'a/2/' }, ['a/2']],
    [{ prefix: 'a/2/k' }, ['a/2']],
    [{ startAt: 'a/2/l' }, ['', 'a', 'a/2', 'a/3', 'b', 'b/1']],
    [{ startAt: 'a/3' }, ['', 'a', 'a/3', 'b', 'b/1']],
    [{ startAt: 'c' }, ['']],
    [{ prefix: 'a/', startAt: 'a/3' }, ['a', 'a/3']],
    [{ prefix: '../' }, []],
    [{ prefix: '/' }, []],
    [{ prefix: 'a/../' }, []],
    [{ prefix: '.dsp/' }, []],
  ])('for %j reads the directories %j only', async (options, directories) => {
    await make(['a/1/k', 'a/2/k', 'a/3/k', 'b/1/k', '.dsp/next/k']);
    vi.mocked(readdir).mockClear();
    await keys(options);
    expect(vi.mocked(readdir).mock.calls.map(([path]) => relative(root, String(path)))).toEqual(directories);
  });

  it('reads a directory when the consumer comes to it', async () => {
    await make(['a/k', 'b/k']);
    vi.mocked(readdir).mockClear();
    for await (const key of fileKeys(root, url, {})) if (key === 'a/k') break;
    expect(readdir).toHaveBeenCalledTimes(2);
  });

  it('does not mind a directory that vanishes meanwhile', async () => {
    await make(['a/k', 'b/k', 'c/k']);
    const seen: string[] = [];
    for await (const key of fileKeys(root, url, {})) {
      seen.push(key);
      await rm(join(root, 'b'), { recursive: true, force: true });
    }
    expect(seen).toEqual(['a/k', 'c/k']);
  });

  it('is for any prefix and start what a filter of all keys gives', async () => {
    const names = ['a', 'a-', 'a.b', 'a0', 'b', 'b!'];
    const all = names.flatMap((first) => names.flatMap((second) => [`${first}/${second}/x`, `${first}/${second}~`]));
    await make(all);
    all.sort();
    const part = fc
      .tuple(fc.constantFrom(...all), fc.nat(8), fc.constantFrom('', '', '/', '!', '0', '~'))
      .map(([key, length, end]) => key.slice(0, length) + end);
    await fc.assert(
      fc.asyncProperty(part, part, async (prefix, startAt) => {
        const expected = all.filter((key) => key.startsWith(prefix) && key >= startAt);
        expect(await keys({ prefix, startAt })).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
