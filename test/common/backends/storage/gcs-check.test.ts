import { afterEach, describe, expect, it } from 'vitest';
import { error, json, ScriptedGcs, text, type Answer } from './gcs-scripted.ts';

let gcs: ScriptedGcs;
afterEach(() => gcs[Symbol.asyncDispose]());

const objects = (...verbs: readonly string[]): string[] => verbs.map((verb) => `storage.objects.${verb}`);
const READ = objects('get', 'list');
const WRITE = objects('create', 'delete');

const granting = (permissions: readonly string[] | undefined): Answer =>
  json(200, { kind: 'storage#testIamPermissionsResponse', ...(permissions ? { permissions } : {}) });

describe('check', () => {
  it.each([
    ['read', READ],
    ['write', WRITE],
  ] as const)('for %s asks for these permissions and no more', async (access, permissions) => {
    gcs = await ScriptedGcs.start(granting(permissions));
    await gcs.storage().check(access);
    expect(gcs.requests).toHaveLength(1);
    expect(gcs.requests[0]).toMatchObject({ method: 'GET', path: '/storage/v1/b/bucket/iam/testPermissions' });
    expect(gcs.requests[0]?.query.getAll('permissions')).toEqual(permissions);
  });

  it.each([
    ['read', READ.slice(1), 'storage.objects.get'],
    ['read', undefined, 'storage.objects.get, storage.objects.list'],
    ['write', READ, 'storage.objects.create, storage.objects.delete'],
    ['write', [...READ, 'storage.objects.delete'], 'storage.objects.create'],
  ] as const)('for %s with %j tells what is lacking: %s', async (access, granted, lacking) => {
    gcs = await ScriptedGcs.start(granting(granted));
    const checking = gcs.storage().check(access);
    await expect(checking).rejects.toMatchObject({ code: 'E_PERMISSION_DENIED' });
    await expect(checking).rejects.toThrow(`lacks ${lacking} on gs://bucket`);
  });

  it('tells a bucket that does not exist', async () => {
    gcs = await ScriptedGcs.start(error(404, 'The specified bucket does not exist.', 'notFound'));
    const checking = gcs.storage().check('read');
    await expect(checking).rejects.toMatchObject({ code: 'E_CONFIGURATION' });
    await expect(checking).rejects.toThrow('gs://bucket does not exist');
  });

  it.each([
    ['404 of no such page', text(404, 'Not Found')],
    ['405', text(405, 'Method Not Allowed')],
    ['501', error(501, 'Not Implemented')],
  ])('is content with a stand-in that answers %s if it has the bucket', async (_, unknown) => {
    gcs = await ScriptedGcs.start(unknown, json(200, { name: 'bucket' }));
    await gcs.storage().check('write');
    expect(gcs.requests.map(({ path }) => path)).toEqual([
      '/storage/v1/b/bucket/iam/testPermissions',
      '/storage/v1/b/bucket',
    ]);
  });

  it('tells a bucket that the stand-in has not', async () => {
    gcs = await ScriptedGcs.start(text(404, 'Not Found'), error(404, 'Not Found', 'notFound'));
    await expect(gcs.storage().check('read')).rejects.toMatchObject({ code: 'E_CONFIGURATION' });
  });
});
