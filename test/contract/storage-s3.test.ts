import { describe } from 'vitest';
import { startMoto } from '../services/moto.ts';
import { withoutTools } from '../services/service.ts';
import { startVersitygw } from '../services/versitygw.ts';
import { s3Buckets } from '../support/s3-buckets.ts';
import { storageContract } from './storage.contract.ts';

const STAND_INS = [
  { program: 'versitygw', start: startVersitygw, manyKeys: 2500 },
  { program: 'moto_server', start: startMoto, manyKeys: 1050 },
];

for (const { program, start, manyKeys } of STAND_INS) {
  describe.skipIf(withoutTools('storage on S3', program))(`over ${program}`, () => {
    const buckets = s3Buckets(start);
    // ETags, the only versions that S3 has conditions on, are digests of the content.
    const traits = { versionsDistinguishEqualContent: false, manyKeys };
    storageContract('s3', async () => buckets.open(await buckets.create()), traits);
  });
}
