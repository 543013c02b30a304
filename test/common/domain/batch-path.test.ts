import { expect, it } from 'vitest';
import { parseBatchObject } from '../../../common/domain/batch-object.ts';
import {
  describeBatch,
  ingestionKeys,
  SEALED_SUM_PREFIX,
  sealedSumKey,
  sumPartKeys,
  validationKeys,
} from '../../../common/domain/batch-path.ts';
import { objectKeyFault } from '../../../common/domain/object-key.ts';

const BATCH = { id: '0f0e0d0c-0b0a-4908-8706-050403020100', time: new Date('2021-01-02T03:04:05Z') };
const BASE = `kittens-seen/2021/01/02/03/04/${BATCH.id}`;
const WINDOW = { begin: new Date('2021-01-02T03:00:00Z'), end: new Date('2021-01-02T06:00:00Z') };
const SUM_BASE = 'prod-us/kittens-seen/202101020300-202101020600';

it.each([
  [
    'an ingestion batch',
    ingestionKeys('kittens-seen', BATCH),
    { header: `${BASE}.batch`, packets: `${BASE}.batch.avro`, signature: `${BASE}.batch.sig` },
  ],
  [
    'the validation batch of the PHA server',
    validationKeys('kittens-seen', BATCH, 0),
    { header: `${BASE}.validity_0`, packets: `${BASE}.validity_0.avro`, signature: `${BASE}.validity_0.sig` },
  ],
  [
    'the validation batch of the facilitator',
    validationKeys('kittens-seen', BATCH, 1),
    { header: `${BASE}.validity_1`, packets: `${BASE}.validity_1.avro`, signature: `${BASE}.validity_1.sig` },
  ],
  [
    'the sum part of the PHA server',
    sumPartKeys('prod-us', 'kittens-seen', WINDOW, 0),
    {
      header: `${SUM_BASE}.sum_0`,
      packets: `${SUM_BASE}.invalid_uuid_0.avro`,
      signature: `${SUM_BASE}.sum_0.sig`,
    },
  ],
  [
    'the sum part of the facilitator',
    sumPartKeys('prod-us', 'kittens-seen', WINDOW, 1),
    {
      header: `${SUM_BASE}.sum_1`,
      packets: `${SUM_BASE}.invalid_uuid_1.avro`,
      signature: `${SUM_BASE}.sum_1.sig`,
    },
  ],
])('names the objects of %s', (_, keys, expected) => {
  expect(keys).toEqual(expected);
  expect([keys.header, keys.packets, keys.signature].map(objectKeyFault)).toEqual([undefined, undefined, undefined]);
});

it('describes a batch as in the names of its objects', () => {
  expect(describeBatch('kittens-seen', BATCH)).toBe(BASE);
});

it('names the sealed sums of the two servers', () => {
  const keys = [sealedSumKey('kittens-seen', BATCH, 0), sealedSumKey('kittens-seen', BATCH, 1)];
  expect(keys).toEqual([`sealed-sums/${BASE}.0`, `sealed-sums/${BASE}.1`]);
  expect(keys.map(objectKeyFault)).toEqual([undefined, undefined]);
});

it.each(['kittens-seen', 'sealed-sums', '2021'])('gives sealed sums of %s names that no batch can have', (id) => {
  const key = sealedSumKey(id, BATCH, 1);
  expect(parseBatchObject(key)).toBeUndefined();
  expect(parseBatchObject(key.slice(SEALED_SUM_PREFIX.length))).toBeUndefined();
  // Not even an aggregation of the prefix's name: its batches have a segment less, whatever their dates.
  const ofPrefix = ingestionKeys(SEALED_SUM_PREFIX.slice(0, -1), BATCH);
  expect(key.split('/').length).toBe(ofPrefix.header.split('/').length + 1);
});
