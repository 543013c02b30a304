import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBatchObject } from '../../../common/domain/batch-object.ts';
import { ingestionKeys, validationKeys } from '../../../common/domain/batch-path.ts';

const ID = 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e';
const BASE = `kittens-seen/2024/11/20/09/05/${ID}`;
const TIME = new Date('2024-11-20T09:05Z');

describe('parseBatchObject', () => {
  it.each([
    ['.batch', 'batch', 'header'],
    ['.batch.avro', 'batch', 'packets'],
    ['.batch.sig', 'batch', 'signature'],
    ['.validity_0', 'validity_0', 'header'],
    ['.validity_0.avro', 'validity_0', 'packets'],
    ['.validity_1.sig', 'validity_1', 'signature'],
  ])('reads %s', (suffix, infix, part) => {
    expect(parseBatchObject(BASE + suffix)).toEqual({
      aggregationId: 'kittens-seen',
      batch: { id: ID, time: TIME },
      infix,
      part,
    });
  });

  it.each([
    ['an aggregation with blanks and dots', `a .b/2024/11/20/09/05/${ID}.batch`, 'a .b'],
    ['an aggregation that looks like a date', `2024/2024/11/20/09/05/${ID}.batch`, '2024'],
    ['29 February of a leap year', `a/2024/02/29/23/59/${ID}.batch`, 'a'],
    ['the last minute of a year', `a/2024/12/31/23/59/${ID}.batch`, 'a'],
    ['a UUID of zeros', `a/2024/11/20/09/05/00000000-0000-0000-0000-000000000000.batch`, 'a'],
  ])('reads %s', (_, key, aggregationId) => {
    expect(parseBatchObject(key)).toMatchObject({ aggregationId, part: 'header' });
  });

  it('reads what the makers of names write', () => {
    const ids = fc.uuid();
    const times = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(ids, times, fc.constantFrom(0, 1), (id, when, server) => {
        const batch = { id, time: new Date(Math.floor(when.getTime() / 60_000) * 60_000) };
        const ingestion = ingestionKeys('a-b', batch);
        const validation = validationKeys('a-b', batch, server);
        const parts = ['header', 'packets', 'signature'] as const;
        for (const part of parts) {
          expect(parseBatchObject(ingestion[part])).toEqual({ aggregationId: 'a-b', batch, infix: 'batch', part });
          const infix = `validity_${server}`;
          expect(parseBatchObject(validation[part])).toEqual({ aggregationId: 'a-b', batch, infix, part });
        }
      }),
    );
  });

  it.each([
    ['an unpadded month', `a/2024/1/20/09/05/${ID}.batch`],
    ['an unpadded minute', `a/2024/11/20/09/5/${ID}.batch`],
    ['a padded year', `a/02024/11/20/09/05/${ID}.batch`],
    ['a short year', `a/24/11/20/09/05/${ID}.batch`],
    ['month 13', `a/2024/13/20/09/05/${ID}.batch`],
    ['month 0', `a/2024/00/20/09/05/${ID}.batch`],
    ['30 February', `a/2024/02/30/09/05/${ID}.batch`],
    ['29 February of a common year', `a/2023/02/29/09/05/${ID}.batch`],
    ['hour 24', `a/2024/11/20/24/00/${ID}.batch`],
    ['minute 60', `a/2024/11/20/09/60/${ID}.batch`],
    ['a sign', `a/2024/11/20/+9/05/${ID}.batch`],
    ['a date with hyphens', `a/2024-11-20-09-05/${ID}.batch`],
    ['a UUID in upper case', `a/2024/11/20/09/05/${ID.toUpperCase()}.batch`],
    ['one digit in upper case', `a/2024/11/20/09/05/${ID.replace('b', 'B')}.batch`],
    ['a UUID without hyphens', `a/2024/11/20/09/05/${ID.replaceAll('-', '')}.batch`],
    ['a UUID as URN', `a/2024/11/20/09/05/urn:uuid:${ID}.batch`],
    ['a UUID in braces', `a/2024/11/20/09/05/{${ID}}.batch`],
    ['a UUID with a digit too many', `a/2024/11/20/09/05/${ID}0.batch`],
    ['a UUID with a digit too few', `a/2024/11/20/09/05/${ID.slice(1)}.batch`],
    ['no UUID', 'a/2024/11/20/09/05/batch-1.batch'],
    ['no aggregation', `2024/11/20/09/05/${ID}.batch`],
    ['an empty aggregation', `/2024/11/20/09/05/${ID}.batch`],
    ['a folder around it', `b/a/2024/11/20/09/05/${ID}.batch`],
    ['a folder within', `a/2024/11/20/09/05/x/${ID}.batch`],
    ['seconds', `a/2024/11/20/09/05/00/${ID}.batch`],
    ['no minutes', `a/2024/11/20/09/${ID}.batch`],
    ['no infix', BASE],
    ['no infix but a part', `${BASE}.sig`],
    ['another infix', `${BASE}.validity_2`],
    ['an infix in upper case', `${BASE}.BATCH`],
    ['a sum part', `${BASE}.sum_0`],
    ['another part', `${BASE}.batch.tmp`],
    ['a part twice', `${BASE}.batch.sig.sig`],
    ['a part behind the wrong part', `${BASE}.batch.avro.sig`],
    ['an infix twice', `${BASE}.batch.batch`],
    ['a slash at the end', `${BASE}.batch/`],
    ['a line feed at the end', `${BASE}.batch\n`],
    ['a blank at the end', `${BASE}.batch `],
    ['a blank before', ` /${BASE}.batch`],
    ['nothing', ''],
  ])('takes no %s', (_, key) => {
    expect(parseBatchObject(key)).toBeUndefined();
  });
});
