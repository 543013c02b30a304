/**
 * The time in UTC that the fields name, years from 0 on as they are.
 * @param month from 1
 * @returns `undefined` for what no calendar or clock shows: 30 February, 24:00, second 60
 */
export function utcTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second = 0,
  millisecond = 0,
): Date | undefined {
  const date = new Date(0);
  // Not `Date.UTC`, which takes the year 99 for 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, millisecond);
  // setUTC… lets 30 February run over into March; a date that does not come back as it was written is none.
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second &&
    date.getUTCMilliseconds() === millisecond;
  return same ? date : undefined;
}
