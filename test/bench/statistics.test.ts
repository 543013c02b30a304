import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marginalOf, ratiosOf, spreadOf, sumOf, type Sample } from '../../bench/statistics.ts';

describe('the spread of values', () => {
  it.each([
    { values: [7], want: { median: 7, least: 7, most: 7 } },
    { values: [3, 1], want: { median: 2, least: 1, most: 3 } },
    { values: [30, 2, 10], want: { median: 10, least: 2, most: 30 } },
    { values: [4, 1, 3, 2], want: { median: 2.5, least: 1, most: 4 } },
  ])('of $values is $want', ({ values, want }) => {
    expect(spreadOf(values)).toEqual(want);
  });

  it('does not depend on the order of the values, and leaves that as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const before = [...values];
        expect(spreadOf(values)).toEqual(spreadOf(values.toReversed()));
        expect(values).toEqual(before);
      }),
    );
  });

  it('has at least half of the values on either side of the median', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1 }), (values) => {
        const { median } = spreadOf(values);
        expect(2 * values.filter((value) => value <= median).length).toBeGreaterThanOrEqual(values.length);
        expect(2 * values.filter((value) => value >= median).length).toBeGreaterThanOrEqual(values.length);
      }),
    );
  });

  it('of nothing is refused', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

const sample = (packets: number, cpuMs: number, wallMs: number): Sample => ({ packets, cpuMs, wallMs, peakMiB: 1 });

describe('the marginal cost', () => {
  it('is the slope, whatever it costs to start', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 1, max: 500 }),
        (few, more, startMs, costUs) => {
          const at = (packets: number): Sample => {
            const ms = startMs + (packets * costUs) / 1000;
            return sample(packets, ms, 2 * ms);
          };
          const { cpuUs, wallUs } = marginalOf({ small: at(few), large: at(few + more) });
          expect(cpuUs).toBeCloseTo(costUs, 6);
          expect(wallUs).toBeCloseTo(2 * costUs, 6);
        },
      ),
    );
  });

  it.each([
    [10, 10],
    [10, 9],
  ])('between %i and %i packets is refused', (small, large) => {
    expect(() => marginalOf({ small: sample(small, 1, 1), large: sample(large, 2, 2) })).toThrow(RangeError);
  });
});

describe('rounds', () => {
  const a = [
    { cpuUs: 10, wallUs: 5 },
    { cpuUs: 30, wallUs: 12 },
  ];
  const b = [
    { cpuUs: 20, wallUs: 20 },
    { cpuUs: 10, wallUs: 3 },
  ];

  it('are compared one by one', () => {
    expect(ratiosOf(a, b, 'cpuUs')).toEqual([0.5, 3]);
    expect(ratiosOf(a, b, 'wallUs')).toEqual([0.25, 4]);
  });

  it('are added one by one', () => {
    expect(sumOf(a, b)).toEqual([
      { cpuUs: 30, wallUs: 25 },
      { cpuUs: 40, wallUs: 15 },
    ]);
  });

  it('are not compared with fewer of them', () => {
    expect(() => ratiosOf(a, b.slice(1), 'cpuUs')).toThrow(RangeError);
    expect(() => sumOf(a.slice(1), b)).toThrow(RangeError);
  });
});
