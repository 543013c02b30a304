import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DAY_MS as DAY,
  HOUR_MS as HOUR,
  includes,
  MINUTE_MS as MINUTE,
  windowHolding,
} from '../../../common/domain/interval.ts';

describe('the window that holds a time', () => {
  // `want` is what Go's time.Time.Truncate gives, as deployed publishers use it.
  it.each([
    { name: 'inside', when: '2020-10-31T20:29Z', period: 3 * HOUR, want: '2020-10-31T18:00:00.000Z' },
    { name: 'exactly at its begin', when: '2020-10-31T18:00Z', period: 3 * HOUR, want: '2020-10-31T18:00:00.000Z' },
    {
      name: '1 ms before its end',
      when: '2020-10-31T20:59:59.999Z',
      period: 3 * HOUR,
      want: '2020-10-31T18:00:00.000Z',
    },
    // Counted from 1970 it would begin at 15:00.
    { name: '7 h', when: '2020-10-31T20:29Z', period: 7 * HOUR, want: '2020-10-31T20:00:00.000Z' },
    { name: '5 h', when: '2020-10-31T20:29Z', period: 5 * HOUR, want: '2020-10-31T18:00:00.000Z' },
    { name: '36 h', when: '2020-10-31T20:29:31.5Z', period: 36 * HOUR, want: '2020-10-31T12:00:00.000Z' },
    { name: '90 s', when: '2020-10-31T20:29:31.5Z', period: 1.5 * MINUTE, want: '2020-10-31T20:28:30.000Z' },
    { name: '1 ms', when: '2020-10-31T20:29:31.5Z', period: 1, want: '2020-10-31T20:29:31.500Z' },
    { name: '7 d, from a Monday', when: '2020-10-31T20:29Z', period: 7 * DAY, want: '2020-10-26T00:00:00.000Z' },
    { name: '7 d, on a Monday', when: '2026-11-23T00:00Z', period: 7 * DAY, want: '2026-11-23T00:00:00.000Z' },
    { name: '7 d, on a Sunday', when: '2026-11-22T23:59:59.999Z', period: 7 * DAY, want: '2026-11-16T00:00:00.000Z' },
    { name: 'at 1970', when: '1970-01-01T00:00Z', period: 5 * HOUR, want: '1969-12-31T21:00:00.000Z' },
    { name: 'before 1970', when: '1969-12-31T23:59:59.999Z', period: 3 * HOUR, want: '1969-12-31T21:00:00.000Z' },
    { name: 'before 1970, 7 h', when: '1960-02-29T12:34:56Z', period: 7 * HOUR, want: '1960-02-29T07:00:00.000Z' },
    { name: 'at year 1', when: '0001-01-01T00:00Z', period: 5 * HOUR, want: '0001-01-01T00:00:00.000Z' },
    { name: 'before year 1', when: '0000-12-31T23:59:59.999Z', period: 5 * HOUR, want: '0000-12-31T19:00:00.000Z' },
    { name: 'in year 9999', when: '9999-12-31T23:59:59.999Z', period: 8 * HOUR, want: '9999-12-31T16:00:00.000Z' },
  ])('begins at a multiple of the period since year 1: $name', ({ when, period, want }) => {
    const window = windowHolding(new Date(when), period);
    expect(window.begin.toISOString()).toBe(want);
    expect(window.end.getTime() - window.begin.getTime()).toBe(period);
  });

  const times = fc.date({
    min: new Date('-000100-01-01T00:00:00Z'),
    max: new Date('+010000-01-01T00:00:00Z'),
    noInvalidDate: true,
  });
  const periods = fc.oneof(
    fc.integer({ min: 1, max: 400 * DAY }),
    fc.integer({ min: 1, max: 24 * 60 }).map((minutes) => minutes * MINUTE),
  );

  it('holds it, and is as long as the period', () => {
    fc.assert(
      fc.property(times, periods, (when, period) => {
        const window = windowHolding(when, period);
        expect(includes(window, when)).toBe(true);
        expect(window.end.getTime() - window.begin.getTime()).toBe(period);
      }),
    );
  });

  it('is the same for every time in it', () => {
    fc.assert(
      fc.property(
        times,
        periods,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (when, period, part) => {
          const window = windowHolding(when, period);
          const inside = new Date(window.begin.getTime() + Math.floor(part * period));
          expect(windowHolding(inside, period)).toEqual(window);
        },
      ),
    );
  });

  it('has a window before and one after it, without gap or overlap', () => {
    fc.assert(
      fc.property(times, periods, (when, period) => {
        const { begin, end } = windowHolding(when, period);
        expect(windowHolding(end, period).begin).toEqual(end);
        expect(windowHolding(new Date(begin.getTime() - 1), period).end).toEqual(begin);
      }),
    );
  });

  it('begins on a Monday if it lasts a week', () => {
    fc.assert(
      fc.property(times, (when) => {
        expect(windowHolding(when, 7 * DAY).begin.getUTCDay()).toBe(1);
      }),
    );
  });

  it('leaves the time that it is asked for as it is', () => {
    const when = new Date('2020-10-31T20:29Z');
    windowHolding(when, 3 * HOUR);
    expect(when.toISOString()).toBe('2020-10-31T20:29:00.000Z');
  });

  it.each([0, -1, -HOUR, 1.5, Number.NaN, Infinity, 2 ** 53])('refuses a period of %d ms', (period) => {
    const windowing = (): unknown => windowHolding(new Date(0), period);
    expect(windowing).toThrow(RangeError);
    expect(windowing).toThrow(`${period} ms: it must be a positive whole number`);
  });
});

it.each([
  ['before its begin', '2020-10-31T17:59:59.999Z', false],
  ['at its begin', '2020-10-31T18:00Z', true],
  ['1 ms before its end', '2020-10-31T20:59:59.999Z', true],
  ['at its end', '2020-10-31T21:00Z', false],
])('an interval is half-open: %s', (_, when, expected) => {
  const interval = { begin: new Date('2020-10-31T18:00Z'), end: new Date('2020-10-31T21:00Z') };
  expect(includes(interval, new Date(when))).toBe(expected);
});

it('an empty interval includes nothing', () => {
  const at = new Date('2020-10-31T18:00Z');
  expect(includes({ begin: at, end: at }, at)).toBe(false);
});
