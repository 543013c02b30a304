import { expect, it } from 'vitest';
import { named } from '../../../../common/backends/queue/local-errors.ts';
import { LeaseLost } from '../../../../common/errors.ts';

it.each([
  ['EACCES', 'E_PERMISSION_DENIED'],
  ['EPERM', 'E_PERMISSION_DENIED'],
  ['EROFS', 'E_PERMISSION_DENIED'],
  ['ENOSPC', 'E_QUEUE_UNAVAILABLE'],
  ['EDQUOT', 'E_QUEUE_UNAVAILABLE'],
  ['EMFILE', 'E_QUEUE_UNAVAILABLE'],
  ['EXDEV', 'E_QUEUE_UNAVAILABLE'],
  ['ENOTDIR', 'E_QUEUE_UNAVAILABLE'],
])('names %s %s, to be retried, and keeps the cause', async (code, name) => {
  const cause = Object.assign(new Error(`${code}: as the system says`), { code });
  const failing = named('publish to file:///d', () => Promise.reject(cause));
  await expect(failing).rejects.toMatchObject({
    code: name,
    fate: 'retry',
    message: 'cannot publish to file:///d',
    cause,
  });
});

it('leaves an error that has a name already', async () => {
  const err = new LeaseLost('gone');
  await expect(named('acknowledge', () => Promise.reject(err))).rejects.toBe(err);
});
