import { describe, expect, it } from 'vitest';
import { usedOf } from '../../bench/used.ts';

const END = '{"cpuMs":120,"peakMiB":60}\n';

describe('what a process used', () => {
  it('is told at its end', () => {
    expect(usedOf(END)).toEqual({ cpuMs: 120, peakMiB: 60, ecdhMs: undefined });
  });

  it('has the agreements of all threads in it', () => {
    expect(usedOf(`{"ecdhMs":10.5}\n{"ecdhMs":4}\n${END}`)).toEqual({ cpuMs: 120, peakMiB: 60, ecdhMs: 14.5 });
  });

  it('is not known without an end', () => {
    expect(() => usedOf('{"ecdhMs":10.5}\n')).toThrow('a process did not tell what it used');
  });
});
