import { HOUR_MS, MINUTE_MS } from './interval.ts';

const NANOSECONDS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  // The micro sign, and the Greek letter that looks like it.
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

/** Go counts nanoseconds in 64 bits with sign: 292 years. */
const MAX_NANOSECONDS = 2n ** 63n - 1n;

const PART = String.raw`(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)`;
const FORM = new RegExp(`^([+-]?)(0|(?:${PART})+)$`);
const PARTS = /(\d*)\.?(\d*)([a-z\u00b5\u03bc]+)/g;

/** Far more than anybody types; keeps the arithmetic below short whatever is given. */
const MAX_CHARACTERS = 100;

/** The duration in whole milliseconds, or why there is none, e.g. `is negative`. */
export type ParsedDuration = { readonly ms: number } | { readonly fault: string };

/**
 * Reads the durations of Go's `time.ParseDuration` that are whole milliseconds and not negative: `300ms`, `1.5h`,
 * `1h30m`, `0`. Nothing is rounded.
 */
export function parseDuration(text: string): ParsedDuration {
  const [, sign, parts] = (text.length <= MAX_CHARACTERS ? FORM.exec(text) : undefined) ?? [];
  if (parts === undefined) return { fault: 'is no duration like 3h, 1h30m or 300ms' };
  // In units of 10^-digits ns, so that decimal fractions stay exact.
  const fractions = [...parts.matchAll(PARTS)];
  const digits = Math.max(0, ...fractions.map(([, , fraction = '']) => fraction.length));
  const scale = 10n ** BigInt(digits);
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of fractions) {
    // `FORM` lets only units of the table through.
    total += BigInt(whole + fraction.padEnd(digits, '0')) * NANOSECONDS.get(unit)!;
  }
  if (sign === '-' && total > 0n) return { fault: 'is negative' };
  if (total > MAX_NANOSECONDS * scale) return { fault: 'is longer than 292 years' };
  const millisecond = 1_000_000n * scale;
  return total % millisecond === 0n
    ? { ms: Number(total / millisecond) }
    : { fault: 'is no whole number of milliseconds' };
}

const UNITS = [
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', 1000],
  ['ms', 1],
] as const;

/**
 * `1h30m`, `168h`, `1s500ms`, `0s`: what `parseDuration` reads, with hours as the largest unit, as in Go.
 * @param ms a non-negative integer
 */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
