import { utcTime } from './calendar.ts';

/** The form of times in object names and tasks: UTC, to the minute. */
export const BATCH_TIME_FORM = 'YYYY/MM/DD/hh/mm';

/** The same without slashes, as in the names of sum parts. */
export const COMPACT_TIME_FORM = 'YYYYMMDDhhmm';

const FORM = /^(\d{4})\/(\d{1,2})\/(\d{1,2})\/(\d{1,2})\/(\d{1,2})$/;
const COMPACT_FORM = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/;

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/**
 * A time given as `YYYY/MM/DD/hh/mm` (UTC); unpadded fields are accepted, as the reference does.
 * @returns `undefined` if it is of another form or no date of the calendar
 */
export function parseBatchTime(text: string): Date | undefined {
  return timeOf(FORM.exec(text));
}

/**
 * A time given as `YYYYMMDDhhmm` (UTC).
 * @returns `undefined` if it is of another form or no date of the calendar
 */
export function parseCompactTime(text: string): Date | undefined {
  return timeOf(COMPACT_FORM.exec(text));
}

function timeOf(match: RegExpExecArray | null): Date | undefined {
  if (!match) return undefined;
  // Both expressions have five groups and none of them is optional.
  const [year, month, day, hour, minute] = match.slice(1).map(Number) as [number, number, number, number, number];
  return utcTime(year, month, day, hour, minute);
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
