import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../common/domain/duration.ts';

it.each([
  ['0', 0],
  ['+0', 0],
  ['-0', 0],
  ['0s', 0],
  ['-0h', 0],
  ['300ms', 300],
  ['90s', 90_000],
  ['75m', 4_500_000],
  ['1h30m', 5_400_000],
  ['168h', 604_800_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['1.s', 1000],
  ['+5m', 300_000],
  ['1h1h', 7_200_000],
  ['30m1h', 5_400_000],
  ['0.001s', 1],
  // Exact where binary fractions are not.
  ['0.57s', 570],
  ['1.1ms900us', 2],
  ['0.5ms0.5ms', 1],
  ['1000000ns', 1],
  ['2000us', 2],
  ['2000µs', 2],
  ['2000μs', 2],
  ['2562047h47m16.854s', 9_223_372_036_854],
])('reads %s as %i ms', (text, ms) => {
  expect(parseDuration(text)).toEqual({ ms });
});

it.each([
  ['', 'is no duration like 3h, 1h30m or 300ms'],
  ['3', 'is no duration'],
  ['00', 'is no duration'],
  ['h', 'is no duration'],
  ['.h', 'is no duration'],
  ['1h 30m', 'is no duration'],
  ['1h30', 'is no duration'],
  ['1d', 'is no duration'],
  ['1H', 'is no duration'],
  ['1e3s', 'is no duration'],
  ['1h-30m', 'is no duration'],
  ['--1h', 'is no duration'],
  ['1,5h', 'is no duration'],
  ['1.5.5h', 'is no duration'],
  [' 1h', 'is no duration'],
  ['1h\n', 'is no duration'],
  ['PT3H', 'is no duration'],
  ['Infinityh', 'is no duration'],
  [`${'9'.repeat(200)}h`, 'is no duration'],
  ['-3h', 'is negative'],
  ['-1ns', 'is negative'],
  ['1ns', 'is no whole number of milliseconds'],
  ['1.5ms', 'is no whole number of milliseconds'],
  ['999us', 'is no whole number of milliseconds'],
  ['0.33333333h', 'is no whole number of milliseconds'],
  ['2562047h47m16.855s', 'is longer than 292 years'],
  [`${'9'.repeat(90)}h`, 'is longer than 292 years'],
])('refuses %j', (text, fault) => {
  expect(parseDuration(text)).toEqual({ fault: expect.stringContaining(fault) as unknown });
});

it.each([
  [0, '0s'],
  [1, '1ms'],
  [1500, '1s500ms'],
  [90_000, '1m30s'],
  [5_400_000, '1h30m'],
  [10_800_000, '3h'],
  [604_800_000, '168h'],
  [3_600_001, '1h1ms'],
])('writes %i ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it('reads back what it writes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_223_372_036_854 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toEqual({ ms });
    }),
  );
});
