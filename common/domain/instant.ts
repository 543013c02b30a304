import { parseCompactTime } from './batch-time.ts';
import { utcTime } from './calendar.ts';
import { HOUR_MS, MINUTE_MS } from './interval.ts';

/** For help and errors. */
export const INSTANT_FORM = 'YYYY-MM-DDThh:mm:ssZ or YYYYMMDDhhmm';

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/**
 * A moment as people write it: ISO 8601 to the minute, second or millisecond, with `Z`, an offset like `+01:00`, or
 * neither, which means UTC; or `YYYYMMDDhhmm` in UTC.
 * @returns `undefined` if it is of another form, no date of the calendar, or outside the years 0 to 9999 in UTC
 */
export function parseInstant(text: string): Date | undefined {
  const fields = ISO.exec(text)?.slice(1);
  if (!fields) return parseCompactTime(text);
  const [year, month, day, hour, minute, second = '0', fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] =
    // The first five groups take part in every match; the rest have defaults.
    fields as [string, string, string, string, string, ...(string | undefined)[]];
  const milliseconds = Number(fraction.padEnd(3, '0'));
  const local = utcTime(+year, +month, +day, +hour, +minute, +second, milliseconds);
  if (!local || +offsetHours > 23 || +offsetMinutes > 59) return undefined;
  const offsetMs = +offsetHours * HOUR_MS + +offsetMinutes * MINUTE_MS;
  const time = new Date(local.getTime() + (sign === '-' ? offsetMs : -offsetMs));
  const utcYear = time.getUTCFullYear();
  return utcYear >= 0 && utcYear <= 9999 ? time : undefined;
}
