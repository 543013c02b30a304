import { describe, expect, it } from 'vitest';
import { parseOpensslSpeed } from '../../bench/floor.ts';
import { parsePublisherRuns } from '../../bench/publisher.ts';
import { sizesOf } from '../../bench/sizes.ts';

describe('the output of openssl speed', () => {
  it.each([
    ['                              op      op/s\n 256 bits ecdh (nistp256)   0.0000s  23612.5\n', 1e6 / 23612.5],
    [' 256 bits ecdh (nistp256)   0.0001s   8000.0\n', 125],
    [' 253 bits ecdh (X25519)   0.0000s  30000.0\n', undefined],
    ['', undefined],
  ])('%j means %s microseconds', (output, want) => {
    expect(parseOpensslSpeed(output)).toBe(want);
  });
});

describe('the output of the benchmark of the publisher', () => {
  it('is read line by line', () => {
    const output = [
      'stdout | bench/publisher.bench.ts',
      'Google Cloud, everything to do: CPU 3.21 s, wall 4.50 s, peak RSS 180 MiB',
      'Google Cloud, nothing to do: CPU 0.61 s, wall 0.75 s, peak RSS 101 MiB',
      ' ✓ bench/publisher.bench.ts',
    ].join('\n');
    expect(parsePublisherRuns(output)).toEqual([
      { cloud: 'Google Cloud', what: 'everything to do', cpuS: 3.21, wallS: 4.5, peakMiB: 180 },
      { cloud: 'Google Cloud', what: 'nothing to do', cpuS: 0.61, wallS: 0.75, peakMiB: 101 },
    ]);
  });
});

describe('the sizes of batches', () => {
  it.each([
    { work: 'aggregate', side: 'ours', bins: 20, packets: undefined, want: { small: 200_000, large: 1_000_000 } },
    { work: 'aggregate', side: 'peer', bins: 20, packets: undefined, want: { small: 20_000, large: 100_000 } },
    { work: 'intake', side: 'ours', bins: 20, packets: undefined, want: { small: 100_000, large: 500_000 } },
    { work: 'intake', side: 'peer', bins: 250, packets: undefined, want: { small: 50_000, large: 250_000 } },
    { work: 'intake', side: 'ours', bins: 4000, packets: undefined, want: { small: 2000, large: 10_000 } },
    { work: 'aggregate', side: 'ours', bins: 20, packets: 1003, want: { small: 200, large: 1003 } },
  ] as const)('for $work, $side, $bins bins, asked for $packets', ({ work, side, bins, packets, want }) => {
    expect(sizesOf(work, side, bins, packets)).toEqual(want);
  });
});
