/** The form of times in object names and tasks: UTC, to the minute. */
export const BATCH_TIME_FORM = 'YYYY/MM/DD/hh/mm';

const FORM = /^(\d{4})\/(\d{1,2})\/(\d{1,2})\/(\d{1,2})\/(\d{1,2})$/;

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/**
 * A time given as `YYYY/MM/DD/hh/mm` (UTC); unpadded fields are accepted, as the reference does.
 * @returns `undefined` if it is of another form or no date of the calendar
 */
export function parseBatchTime(text: string): Date | undefined {
  const fields = FORM.exec(text)?.slice(1).map(Number);
  if (!fields) return undefined;
  // The expression has five groups and none of them is optional.
  const [year, month, day, hour, minute] = fields as [number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute);
  // setUTC… lets 30 February run over into March; a date that does not come back as it was written is none.
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute;
  return same ? date : undefined;
}

/** `YYYY/MM/DD/hh/mm`, always zero-padded. */
export function formatBatchTime(time: Date): string {
  return [
    pad(time.getUTCFullYear(), 4),
    pad(time.getUTCMonth() + 1),
    pad(time.getUTCDate()),
    pad(time.getUTCHours()),
    pad(time.getUTCMinutes()),
  ].join('/');
}

/** `YYYYMMDDhhmm`, as in the names of sum parts. */
export function formatCompactTime(time: Date): string {
  return formatBatchTime(time).replaceAll('/', '');
}
