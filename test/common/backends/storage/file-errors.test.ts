import { expect, it } from 'vitest';
import { named } from '../../../../common/backends/storage/file-errors.ts';
import { ObjectMissing } from '../../../../common/errors.ts';

const failure = (code: string): Error => Object.assign(new Error(`${code}: as the system says`), { code });

it.each([
  ['EACCES', 'E_PERMISSION_DENIED', 'retry'],
  ['EPERM', 'E_PERMISSION_DENIED', 'retry'],
  ['EROFS', 'E_PERMISSION_DENIED', 'retry'],
  ['ENOSPC', 'E_STORAGE_UNAVAILABLE', 'retry'],
  ['EMFILE', 'E_STORAGE_UNAVAILABLE', 'retry'],
  ['EXDEV', 'E_STORAGE_UNAVAILABLE', 'retry'],
  ['ENAMETOOLONG', 'E_OBJECT_KEY', 'reject'],
])('names %s %s, with fate %s, and keeps the cause', async (code, name, fate) => {
  const cause = failure(code);
  const failing = named({ operation: 'put', key: 'a/b', url: 'file:///d' }, () => Promise.reject(cause));
  await expect(failing).rejects.toMatchObject({ code: name, fate, cause });
  await expect(failing).rejects.toThrow("cannot put 'a/b' in file:///d");
});

it('leaves an error that has a name already', async () => {
  const err = new ObjectMissing('gone');
  await expect(named({ operation: 'get', url: 'file:///d' }, () => Promise.reject(err))).rejects.toBe(err);
});
