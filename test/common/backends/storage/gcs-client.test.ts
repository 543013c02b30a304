import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GcsClient } from '../../../../common/backends/storage/gcs-client.ts';
import { openGcs } from '../../../../common/backends/storage/gcs.ts';
import { openStorage } from '../../../../common/backends/storage/open.ts';
import { keysOf, MEBIBYTE, NEW } from '../../../contract/storage/fixtures.ts';
import { json, ScriptedGcs, text } from './gcs-scripted.ts';

let gcs: ScriptedGcs;
let metadata: ScriptedGcs;

beforeEach(async () => {
  metadata = await ScriptedGcs.start(text(404, 'not here', { 'metadata-flavor': 'Google' }));
  vi.stubEnv('GCE_METADATA_HOST', new URL(metadata.url).host);
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
  vi.stubEnv('HOME', '/nonexistent');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await metadata[Symbol.asyncDispose]();
  await gcs[Symbol.asyncDispose]();
});

it('goes to STORAGE_EMULATOR_HOST, without credentials, and asks no metadata server for any', async () => {
  gcs = await ScriptedGcs.start((response, request) => {
    const location = `http://${request.headers.host}/session`;
    const answer = {
      generation: '7',
      items: [{ name: 'k' }],
      permissions: ['storage.objects.get', 'storage.objects.list'],
    };
    json(200, answer, { location })(response, request);
  });
  vi.stubEnv('STORAGE_EMULATOR_HOST', gcs.url);
  const storage = openStorage('gs://bucket', { identity: 'name@project.iam.gserviceaccount.com' });
  await storage.check('read');
  expect(await keysOf(storage.list())).toEqual(['k']);
  expect(await storage.put('k', NEW)).toBe('7');
  // There is no digest to compare with: it has been sent all the same.
  await expect(storage.put('k', Buffer.alloc(6 * MEBIBYTE))).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  expect(gcs.requests.length).toBeGreaterThanOrEqual(5);
  expect(gcs.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  expect(metadata.requests).toEqual([]);
});

it('looks for credentials otherwise, and says so if there are none', async () => {
  gcs = await ScriptedGcs.start(json(200, {}));
  vi.stubEnv('STORAGE_EMULATOR_HOST', undefined);
  const storage = openGcs('gs://bucket', {}, () => GcsClient.create(undefined))!;
  await expect(storage.check('read')).rejects.toMatchObject({ code: 'E_PERMISSION_DENIED' });
  expect(metadata.requests.length).toBeGreaterThan(0);
});

it('has a hundred requests under way on a hundred connections, which it uses again', async () => {
  gcs = await ScriptedGcs.start(json(200, { generation: '7' }));
  const storage = gcs.storage();
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => storage.createIfAbsent(`${round}-${i}`, NEW)));
  }
  expect(gcs.requests).toHaveLength(300);
  expect(gcs.connections).toBeLessThanOrEqual(100);
});
