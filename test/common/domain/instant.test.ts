import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseInstant } from '../../../common/domain/instant.ts';

it.each([
  ['2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00.25Z', '2026-11-20T10:00:00.250Z'],
  ['2026-11-20T10:00:00.007', '2026-11-20T10:00:00.007Z'],
  ['2026-11-20T10:00:59', '2026-11-20T10:00:59.000Z'],
  ['2026-11-20T10:00', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T00:30+01:00', '2026-11-19T23:30:00.000Z'],
  ['2026-12-31T20:30:00-0530', '2027-01-01T02:00:00.000Z'],
  ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
  ['0099-01-01T00:00Z', '0099-01-01T00:00:00.000Z'],
  ['202611201000', '2026-11-20T10:00:00.000Z'],
])('reads %s as %s', (text, iso) => {
  expect(parseInstant(text)?.toISOString()).toBe(iso);
});

it.each([
  '',
  'now',
  '2026-11-20',
  '2026-11-20T10',
  '2026-11-20 10:00:00Z',
  '2026-11-20t10:00:00z',
  '2026-11-20T10:00:00ZZ',
  '2026-11-20T10:00:00 Z',
  '2026-11-20T10:00:00Z\n',
  '2026-11-20T10:00:00.Z',
  '2026-11-20T10:00:00.1234Z',
  '2026-11-20T10:00.5Z',
  '2026-02-29T10:00:00Z',
  '2026-02-30T10:00:00Z',
  '2026-13-01T10:00:00Z',
  '2026-11-20T24:00:00Z',
  '2026-11-20T10:60:00Z',
  '2026-11-20T10:00:60Z',
  '2026-11-20T10:00:00+24:00',
  '2026-11-20T10:00:00+01:60',
  '2026-11-20T10:00:00+01',
  '0000-01-01T00:00+00:01',
  '9999-12-31T23:59-00:01',
  '202602300000',
  '20261120100000',
])('takes %j for no time', (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

it('reads what toISOString writes, and the same moment at any offset', () => {
  const time = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9998-12-31T23:59:00Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(time, fc.integer({ min: -1439, max: 1439 }), (time, offset) => {
      expect(parseInstant(time.toISOString())).toEqual(time);
      const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, -1);
      const two = (n: number): string => String(n).padStart(2, '0');
      const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
      expect(parseInstant(`${local}${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`)).toEqual(time);
    }),
  );
});
