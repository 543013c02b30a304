import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { reportOf, shown, shownSpread, table } from '../../bench/report.ts';
import { headingsOf } from '../support/markdown.ts';
import { NODE_20, ORDINARY_SERIES, resultsOf } from '../support/bench-results.ts';

describe('numbers in reports', () => {
  it.each([
    [0, '0'],
    [0.0123, '0.0123'],
    [0.42, '0.42'],
    [1.804, '1.8'],
    [42.64, '42.6'],
    [999.6, '1,000'],
    [250, '250'],
    [1_000_000, '1,000,000'],
    [-5.4321, '-5.43'],
  ])('%f is shown as %s', (value, want) => {
    expect(shown(value)).toBe(want);
  });

  it('have their spread beside them', () => {
    expect(shownSpread({ median: 2, least: 1.876, most: 11.26 })).toBe('2 (1.88–11.3)');
  });
});

describe('tables in reports', () => {
  it('are those of Markdown', () => {
    expect(table(['a', 'b'], [['1', '2']])).toBe('| a | b |\n| --- | --- |\n| 1 | 2 |');
  });

  it('without rows are left out', () => {
    expect(table(['a'], [])).toBe('');
  });
});

describe('a report', () => {
  const full = resultsOf({
    series: ORDINARY_SERIES,
    floors: [{ bins: 20, subject: NODE_20, us: [80, 90, 82] }],
    opensslUs: 42.6,
    peaks: [{ what: 'intake of much', subject: NODE_20, peakMiB: 250, limitMb: 300 }],
    startUps: [{ what: 'work', subject: NODE_20, wallMs: [300], cpuMs: [280], firstLogLineMs: [240], peakMiB: [60] }],
    publisher: [{ cloud: 'Google', what: 'nothing to do', cpuS: 0.5, wallS: 0.6, peakMiB: 90 }],
  });

  it('tells promises, costs, floor, memory, start-up and publisher', () => {
    expect(headingsOf(reportOf(full))).toEqual([
      'Benchmarks',
      'What was measured on',
      'Promises',
      'A packet',
      'Intake and its floor',
      'Memory',
      'Start-up',
      'The publisher',
      'How this is measured',
    ]);
  });

  it('has a row for each kind of work and who does it', () => {
    const text = reportOf(full);
    expect(text).toContain(
      '| intake | 20 | Node 20.20.2 | 100 (90–110) | 50 (45–55) | 2 (1.8–2.2) | 1 (0.9–1.1) | 200 MiB |',
    );
    expect(text).toContain('| pipeline | 20 | peer | 150 (150–150) | 150 (150–150) | 1 | 1 | – |');
    expect(text).toContain('intake, 20 bins, ours: 1,000 and 2,000');
    expect(text).toContain('| intake, 20 bins: CPU | Node 20.20.2 | at most 2.1 × the peer’s | 2 (1.8–2.2) | kept |');
    expect(text).toContain('| intake | 20 | Node 20.20.2 | 82 (80–90) | 20 (8–20) | 0.222 (0.0976–0.25) |');
    expect(text).toMatch(/\| intake without the ECDH call, .*\| \*\*missed\*\* \|/);
  });

  it('leaves out what was not measured', () => {
    expect(headingsOf(reportOf(resultsOf()))).toEqual(['Benchmarks', 'What was measured on', 'How this is measured']);
    expect(reportOf(resultsOf())).not.toContain('the peer: ');
    expect(reportOf(full)).toContain('the peer: skipped, as there was no cargo');
  });

  it('is Markdown that stays as it is when it is formatted again', async () => {
    const options = { ...(await resolveConfig('docs/benchmarks.md')), parser: 'markdown' };
    const once = await format(reportOf(full), options);
    expect(await format(once, options)).toBe(once);
  });
});
