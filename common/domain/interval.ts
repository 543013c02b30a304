/** Half-open, in UTC: `begin <= t < end`. */
export interface Interval {
  readonly begin: Date;
  readonly end: Date;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** From 0001-01-01T00:00Z to 1970-01-01T00:00Z, in the proleptic Gregorian calendar: 719162 days. */
const YEAR_1_TO_1970_MS = 719_162 * DAY_MS;

/**
 * The aggregation window that holds `when`. Windows are multiples of the period counted from year 1, not from 1970,
 * as deployed Go publishers have it (`time.Time.Truncate`): for a period that does not divide 24 h, like 5 h or 7 days,
 * the two differ, and servers that disagree on windows never sum the same batches.
 * docs/protocol.md, "Windows".
 * @param periodMs window length in milliseconds, a positive integer
 * @throws RangeError if it is not
 */
export function windowHolding(when: Date, periodMs: number): Interval {
  if (!Number.isSafeInteger(periodMs) || periodMs <= 0) {
    throw new RangeError(`an aggregation period of ${periodMs} ms: it must be a positive whole number`);
  }
  // Milliseconds since year 1 stay far below 2^53.
  const sinceYear1 = when.getTime() + YEAR_1_TO_1970_MS;
  const into = ((sinceYear1 % periodMs) + periodMs) % periodMs;
  const begin = new Date(when.getTime() - into);
  return { begin, end: new Date(begin.getTime() + periodMs) };
}

export function includes({ begin, end }: Interval, when: Date): boolean {
  return begin <= when && when < end;
}
