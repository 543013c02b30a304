import { afterAll, beforeAll, describe } from 'vitest';
import { openStorage } from '../../common/backends/storage/open.ts';
import { startFakeGcs, type FakeGcs } from '../services/fake-gcs.ts';
import { withoutTools } from '../services/service.ts';
import { storageContract } from './storage.contract.ts';

describe.skipIf(withoutTools('the contract of gs:// storages', 'fake-gcs-server'))('over fake-gcs-server', () => {
  let gcs: FakeGcs;
  let buckets = 0;
  const before = process.env['STORAGE_EMULATOR_HOST'];

  beforeAll(async () => {
    gcs = await startFakeGcs();
    process.env['STORAGE_EMULATOR_HOST'] = gcs.url;
  });

  afterAll(async () => {
    if (before === undefined) delete process.env['STORAGE_EMULATOR_HOST'];
    else process.env['STORAGE_EMULATOR_HOST'] = before;
    await gcs[Symbol.asyncDispose]();
  });

  storageContract('gcs', async () => {
    const bucket = `contract-${++buckets}`;
    await gcs.createBucket(bucket);
    return openStorage(`gs://${bucket}`);
  });
});
