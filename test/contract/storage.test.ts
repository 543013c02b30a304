import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { dryRunStorage } from '../../common/backends/storage/dry-run.ts';
import { FileStorage } from '../../common/backends/storage/file.ts';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { readOnlyStorage } from '../support/read-only-storage.ts';
import { storageContract } from './storage.contract.ts';

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));

storageContract('memory', async () => new MemoryStorage('contract'));

storageContract('file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dsp-storage-'));
  directories.push(directory);
  return new FileStorage(join(directory, 'root'));
});

storageContract('dry-run', async () => dryRunStorage(readOnlyStorage(new MemoryStorage('contract')), () => {}));
