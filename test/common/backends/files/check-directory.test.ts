import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDirectory } from '../../../../common/backends/files/check-directory.ts';
import { ConfigurationInvalid } from '../../../../common/errors.ts';
import { asOrdinaryUser } from '../../../support/ordinary-user.ts';

const URL = 'file:///somewhere';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dsp-check-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('a directory, checked before any work', () => {
  it('must exist to be read', async () => {
    const checking = checkDirectory(join(root, 'missing'), URL, 'read');
    await expect(checking).rejects.toThrow(ConfigurationInvalid);
    await expect(checking).rejects.toThrow(`${URL} does not exist; create the directory`);
  });

  it('need not exist to be written to, and is not made', async () => {
    await checkDirectory(join(root, 'a', 'b'), URL, 'write');
    expect(await readdir(root)).toEqual([]);
  });

  it.each(['read', 'write'] as const)('must be one (%s)', async (access) => {
    await writeFile(join(root, 'file'), 'x');
    await expect(checkDirectory(join(root, 'file'), URL, access)).rejects.toThrow(/is no directory/);
    await expect(checkDirectory(join(root, 'file', 'below'), URL, access)).rejects.toThrow(ConfigurationInvalid);
  });

  it.each([
    ['read', '.'],
    ['write', 'below'],
  ] as const)('must be ours to %s', async (access, path) => {
    await chmod(root, 0);
    await asOrdinaryUser(async () => {
      await expect(checkDirectory(join(root, path), URL, access)).rejects.toMatchObject({ code: 'EACCES' });
    });
    await chmod(root, 0o700);
  });
});
