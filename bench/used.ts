import type { Sample } from './statistics.ts';

/** What a process used, but for the time that only whoever waits for it knows. */
export type ToldUse = Pick<Sample, 'cpuMs' | 'ecdhMs' | 'peakMiB'>;

/** The sum of what ./tell-resource-use.ts told, a line of JSON each. @throws Error if the process told no end */
export function usedOf(lines: string): ToldUse {
  const told = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Partial<ToldUse>);
  const [end] = told.filter(({ cpuMs }) => cpuMs !== undefined);
  if (!end) throw new Error('a process did not tell what it used');
  const agreements = told.flatMap(({ ecdhMs }) => ecdhMs ?? []);
  const ecdhMs = agreements.length > 0 ? agreements.reduce((total, ms) => total + ms, 0) : undefined;
  return { cpuMs: end.cpuMs!, peakMiB: end.peakMiB!, ecdhMs }; // the end has both
}
