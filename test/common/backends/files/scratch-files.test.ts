import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ScratchFiles, type ScratchFile } from '../../../../common/backends/files/scratch-files.ts';

let parent: string;
let files: ScratchFiles;
beforeEach(async () => {
  parent = join(await mkdtemp(join(tmpdir(), 'dsp-scratch-')), 'tmp');
  files = new ScratchFiles(parent);
});
afterEach(() => rm(join(parent, '..'), { recursive: true }));

const create = (count: number): Promise<ScratchFile[]> =>
  Promise.all(Array.from({ length: count }, () => files.create()));

async function discard(created: readonly ScratchFile[]): Promise<void> {
  await Promise.all(created.map((file) => file.discard()));
}

it('counts a writer’s files in the order of the calls, in one directory', async () => {
  const created = await create(20);
  expect(created.map(({ serial }) => serial)).toEqual(created.map((_, i) => i + 1));
  expect(new Set(created.map(({ writer }) => writer))).toEqual(new Set(await readdir(parent)));
  expect(created[0]?.writer).toMatch(/^[A-Za-z0-9]+$/);
  await discard(created);
});

it('gives each writer a name of its own', async () => {
  const others = [files, new ScratchFiles(parent), new ScratchFiles(parent)];
  const created = await Promise.all(others.map((writer) => writer.create()));
  expect(new Set(created.map(({ writer }) => writer)).size).toBe(3);
  await discard(created);
});

it('leaves nothing of discarded files, whatever became of them', async () => {
  const created = await create(2);
  await rm(created[0]?.path ?? '');
  await discard(created);
  await discard(created);
  expect(await readdir(join(parent, created[0]?.writer ?? ''))).toEqual([]);
});

it('goes on in one new directory when its own was removed', async () => {
  const before = await create(1);
  await discard(before);
  await rm(parent, { recursive: true });
  const created = await create(10);
  expect(new Set(created.map(({ path }) => path)).size).toBe(10);
  expect(await readdir(parent)).toHaveLength(1);
  await discard(created);
});

it('tells each caller of a failure, and tries anew', async () => {
  await writeFile(parent, 'in the way');
  await expect(create(3)).rejects.toMatchObject({ syscall: 'mkdir' });
  await rm(parent);
  await discard(await create(1));
});
