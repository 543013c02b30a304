import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  formatBatchTime,
  formatCompactTime,
  parseBatchTime,
  parseCompactTime,
} from '../../../common/domain/batch-time.ts';

it.each([
  ['2021/01/02/03/04', '2021-01-02T03:04:00.000Z'],
  ['2021/1/2/3/4', '2021-01-02T03:04:00.000Z'],
  ['2020/02/29/23/59', '2020-02-29T23:59:00.000Z'],
  ['1970/01/01/00/00', '1970-01-01T00:00:00.000Z'],
  ['9999/12/31/23/59', '9999-12-31T23:59:00.000Z'],
  // Not 1999, as `Date.UTC` would have it.
  ['0099/06/01/00/00', '0099-06-01T00:00:00.000Z'],
])('reads %s as %s', (text, iso) => {
  expect(parseBatchTime(text)?.toISOString()).toBe(iso);
});

it.each([
  '',
  '2021/01/02/03',
  '2021/01/02/03/04/05',
  '2021-01-02T03:04',
  '21/01/02/03/04',
  '2021/001/02/03/04',
  '2021/01/02/03/04/',
  ' 2021/01/02/03/04',
  '2021/01/02/03/04\n',
  '2021/00/02/03/04',
  '2021/13/02/03/04',
  '2021/01/00/03/04',
  '2021/02/29/03/04',
  '2021/04/31/03/04',
  '2021/01/02/24/00',
  '2021/01/02/03/60',
  '2021/+1/02/03/04',
])('takes %j for no time', (text) => {
  expect(parseBatchTime(text)).toBeUndefined();
});

it.each([
  ['202101020304', '2021-01-02T03:04:00.000Z'],
  ['202002292359', '2020-02-29T23:59:00.000Z'],
  ['009906010000', '0099-06-01T00:00:00.000Z'],
])('reads %s as %s', (text, iso) => {
  expect(parseCompactTime(text)?.toISOString()).toBe(iso);
});

it.each(['', '20210102030', '2021010203040', '202102290000', '202101022400', '2021/01/02/03/04', '202101020304\n'])(
  'takes %j for no compact time',
  (text) => {
    expect(parseCompactTime(text)).toBeUndefined();
  },
);

it('writes zero-padded fields in UTC and drops the seconds', () => {
  const time = new Date('2021-01-02T03:04:59.999Z');
  expect(formatBatchTime(time)).toBe('2021/01/02/03/04');
  expect(formatCompactTime(time)).toBe('202101020304');
});

it('reads back what it writes, for any minute', () => {
  const minute = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:00Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(minute, (time) => {
      const written = formatBatchTime(time);
      const read = parseBatchTime(written);
      expect(read?.getTime()).toBe(Math.floor(time.getTime() / 60_000) * 60_000);
      expect(parseCompactTime(formatCompactTime(time))).toEqual(read);
    }),
  );
});

it('writes times so that their ASCII order is their order', () => {
  const minutes = fc.integer({ min: 0, max: 100_000_000 }).map((n) => new Date(n * 60_000));
  fc.assert(
    fc.property(minutes, minutes, (a, b) => {
      expect(formatBatchTime(a) < formatBatchTime(b)).toBe(a < b);
      expect(formatCompactTime(a) < formatCompactTime(b)).toBe(a < b);
    }),
  );
});
