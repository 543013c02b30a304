import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStorage } from '../../../../common/backends/storage/file.ts';
import { ConfigurationInvalid, PermissionDenied } from '../../../../common/errors.ts';
import { asOrdinaryUser } from '../../../support/ordinary-user.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dsp-check-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('a directory, checked before any work', () => {
  it('must exist to be read', async () => {
    const missing = new FileStorage(join(root, 'missing'));
    await expect(missing.check('read')).rejects.toThrow(ConfigurationInvalid);
    await expect(missing.check('read')).rejects.toThrow(/missing does not exist; create the directory/);
  });

  it('need not exist to be written to, and is not made', async () => {
    await new FileStorage(join(root, 'a', 'b')).check('write');
    expect(await readdir(root)).toEqual([]);
  });

  it.each(['read', 'write'] as const)('must be one (%s)', async (access) => {
    await writeFile(join(root, 'file'), 'x');
    await expect(new FileStorage(join(root, 'file')).check(access)).rejects.toThrow(/is no directory/);
    await expect(new FileStorage(join(root, 'file', 'below')).check(access)).rejects.toThrow(ConfigurationInvalid);
  });

  it('must be ours to read', async () => {
    await chmod(root, 0);
    await asOrdinaryUser(async () => {
      await expect(new FileStorage(root).check('read')).rejects.toThrow(PermissionDenied);
    });
    await chmod(root, 0o700);
  });
});
