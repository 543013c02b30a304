import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byName,
  leaseFile,
  messageFile,
  messageName,
  parseLeaseFile,
  parseMessageFile,
  publishedAtOf,
} from '../../../../common/backends/queue/local-names.ts';

const TIME_MS = Date.parse('2026-11-21T10:00:00Z');
const NAME = '0001795255200000-00000007-aB3xYz';

describe('the file of a message', () => {
  it('tells when it was published, by whom, and how often it was delivered', () => {
    expect(messageName(TIME_MS, 7, 'aB3xYz')).toBe(NAME);
    expect(messageFile({ name: NAME, deliveries: 2 })).toBe(`${NAME}~2`);
    expect(parseMessageFile(`${NAME}~2`)).toEqual({ name: NAME, deliveries: 2 });
    expect(publishedAtOf({ name: NAME, deliveries: 2 })).toEqual(new Date(TIME_MS));
    expect(publishedAtOf({ name: NAME.replace('0001', '9999'), deliveries: 2 })).toBeUndefined();
  });

  it('tells until when it is held', () => {
    const lease = { name: NAME, deliveries: 3, expiresAtMs: TIME_MS };
    expect(leaseFile(lease)).toBe(`${NAME}~3~1795255200000`);
    expect(parseLeaseFile(leaseFile(lease))).toEqual(lease);
  });

  it.each([
    '',
    '.hidden',
    'README',
    NAME,
    `${NAME}~`,
    `${NAME}~x`,
    `${NAME}~-1`,
    `${NAME}~1~`,
    `${NAME}~1.swp`,
    `.${NAME}~1`,
    `x${NAME}~1`,
    `${NAME}~1~2~3`,
    `${NAME}~1\n`,
    `${NAME.slice(1)}~1`,
  ])('is none that is called %j', (file) => {
    expect(parseMessageFile(file)).toBeUndefined();
    expect(parseLeaseFile(file)).toBeUndefined();
  });

  it('is no lease without an expiry, and no ready message with one', () => {
    expect(parseLeaseFile(`${NAME}~1`)).toBeUndefined();
    expect(parseMessageFile(`${NAME}~1~1795255200000`)).toBeUndefined();
  });
});

describe('names', () => {
  const times = fc.integer({ min: 0, max: 8_640_000_000_000_000 });
  const serials = fc.integer({ min: 0, max: 99_999_999 });

  it('sort by time, then by the count of the publisher', () => {
    fc.assert(
      fc.property(times, serials, times, serials, (time, serial, otherTime, otherSerial) => {
        const name = messageName(time, serial, 'a');
        const other = messageName(otherTime, otherSerial, 'a');
        const expected = Math.sign(time - otherTime || serial - otherSerial);
        expect(byName({ name, deliveries: 9 }, { name: other, deliveries: 0 })).toBe(expected);
      }),
    );
  });

  it('keep their form whatever the clock says', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), fc.nat(), fc.nat(99), (time, serial, deliveries) => {
        const name = messageName(time.getTime(), serial, 'x9');
        expect(parseMessageFile(messageFile({ name, deliveries }))).toEqual({ name, deliveries });
        const expiresAtMs = Math.max(0, time.getTime());
        expect(parseLeaseFile(leaseFile({ name, deliveries, expiresAtMs: time.getTime() }))).toEqual({
          name,
          deliveries,
          expiresAtMs,
        });
      }),
    );
  });
});
