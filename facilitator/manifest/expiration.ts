import { parseInstant } from '../../common/domain/instant.ts';

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:\d\d)$/i;

/**
 * When a key of a manifest expires: RFC 3339 §5.6, of which what is finer than a millisecond is dropped.
 * @returns `undefined` if the text is none
 */
export function parseExpiration(text: string): Date | undefined {
  const [, time, fraction = '', zone] = RFC_3339.exec(text) ?? [];
  return time === undefined || zone === undefined ? undefined : parseInstant(`${time}${fraction}${zone}`.toUpperCase());
}
