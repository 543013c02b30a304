import { describe, expect, it } from 'vitest';
import { verdictsOf, type Verdict } from '../../bench/targets.ts';
import { marginalOf } from '../../bench/statistics.ts';
import { PEER, type Results } from '../../bench/results.ts';
import { NODE_20, NODE_26, ORDINARY_SERIES, resultsOf, seriesOf } from '../support/bench-results.ts';

function verdict(results: Results, what: string, unit?: string): Verdict | undefined {
  return verdictsOf(results).find((found) => found.what === what && (unit === undefined || found.unit === unit));
}

describe('promises', () => {
  const results = resultsOf({ series: ORDINARY_SERIES });

  it.each([
    { what: 'intake, 20 bins: CPU', limit: 2.1, median: 2, outcome: 'kept' },
    { what: 'intake, 20 bins: wall', limit: 1.1, median: 1, outcome: 'kept' },
    { what: 'pipeline, 20 bins: CPU', limit: 0.8, median: 101 / 150, outcome: 'kept' },
    { what: 'pipeline, 20 bins: wall', limit: 0.42, median: 52 / 150, outcome: 'kept' },
    { what: 'aggregate, 20 bins: CPU', limit: 2, median: 1, outcome: 'kept' },
    { what: 'aggregate, 20 bins: wall', limit: 50, median: 50, outcome: 'kept' },
    { what: 'intake without the ECDH call, 20 bins: CPU', limit: 15, median: 20, outcome: 'missed' },
  ])('are judged by the median: $what', ({ what, limit, median, outcome }) => {
    const found = verdict(results, what);
    expect(found).toMatchObject({ subject: 'Node 20.20.2', limit, outcome });
    expect(found?.found.median).toBeCloseTo(median, 9);
  });

  it('are about what is beside the ECDH calls as a time and as a ratio', () => {
    const found = verdict(results, 'intake without the ECDH call, 20 bins: CPU', '× the call');
    expect(found).toMatchObject({ limit: 15 / 94, outcome: 'missed' });
    expect(found?.found.median).toBeCloseTo(20 / 90, 9);
  });

  it('are by the version of Node', () => {
    const series = [
      ...ORDINARY_SERIES,
      seriesOf('intake', 20, NODE_26, [
        [79, 41],
        [80, 40],
        [81, 39],
      ]),
    ];
    const found = verdictsOf(resultsOf({ series })).filter(({ what }) => what === 'intake, 20 bins: CPU');
    expect(found).toMatchObject([
      { subject: 'Node 20.20.2', limit: 2.1 },
      { subject: 'Node 26.1.0', limit: 1.6, outcome: 'kept' },
    ]);
  });

  it('are not about a version of Node of which nothing is promised, but for what is promised of all', () => {
    const series = ORDINARY_SERIES.map((one) =>
      one.subject === PEER ? one : { ...one, subject: { name: 'Node 22.0.0', version: '22.0.0' } },
    );
    expect(new Set(verdictsOf(resultsOf({ series })).map(({ what }) => what))).toEqual(
      new Set(['aggregate, 20 bins: CPU', 'aggregate, 20 bins: wall']),
    );
  });

  it('need what they compare with', () => {
    const series = ORDINARY_SERIES.filter(({ subject }) => subject !== PEER);
    expect(verdictsOf(resultsOf({ series })).map(({ unit }) => unit)).toEqual([
      'µs a packet',
      'µs a packet',
      '× the call',
    ]);
  });

  it.each(['intake, 20 bins: CPU', 'aggregate, 20 bins: wall'])('are unclear where a slope is no cost: %s', (what) => {
    const sample = { packets: 10, cpuMs: 9, wallMs: 9, peakMiB: 1 };
    const noise = { small: sample, large: { ...sample, packets: 20, cpuMs: 8, wallMs: 8 } };
    const series = ORDINARY_SERIES.map((one) =>
      one.subject === PEER ? one : { ...one, marginals: [marginalOf(noise), ...one.marginals.slice(1)] },
    );
    expect(verdict(resultsOf({ series }), what)?.outcome).toBe('unclear');
  });

  it('are none of what was not measured', () => {
    expect(verdictsOf(resultsOf())).toEqual([]);
  });

  it('compare two threads with one of the same Node', () => {
    const of = (threads: number, wallUs: number): Results['series'][number] =>
      seriesOf('intake', 20, { ...NODE_20, name: `${NODE_20.name}, ${threads}`, threads }, [[100, wallUs]]);
    const found = verdict(resultsOf({ scaling: [of(2, 51), of(1, 100)] }), 'intake: two threads against one');
    expect(found).toMatchObject({ subject: 'Node 20.20.2, 2', outcome: 'kept' });
    expect(found?.found.median).toBeCloseTo(100 / 51, 9);
  });

  it('count memory in millions of bytes', () => {
    const peaks = [{ what: 'intake of much', subject: NODE_20, peakMiB: 290, limitMb: 300 }];
    expect(verdict(resultsOf({ peaks }), 'intake of much: peak RSS')).toMatchObject({
      limit: 300,
      found: { median: 304.08704 },
      outcome: 'missed',
    });
  });

  it('are about the first line of a log only where there is a log', () => {
    const startUp = { subject: NODE_20, wallMs: [300], cpuMs: [280], peakMiB: [60] };
    const startUps = [
      { ...startUp, what: 'help', firstLogLineMs: [] },
      { ...startUp, what: 'work', firstLogLineMs: [240, 260, 245] },
    ];
    expect(verdictsOf(resultsOf({ startUps }))).toMatchObject([
      { what: 'first log line of work', limit: 250, found: { median: 245 }, outcome: 'kept' },
    ]);
  });
});
