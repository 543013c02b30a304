import {
  BATCH_TIME_FORM,
  COMPACT_TIME_FORM,
  formatBatchTime,
  formatCompactTime,
  parseBatchTime,
  parseCompactTime,
} from '../domain/batch-time.ts';
import { formatDuration, parseDuration } from '../domain/duration.ts';
import { INSTANT_FORM, parseInstant } from '../domain/instant.ts';
import { parseUuid } from '../domain/uuid.ts';
import { describeError } from '../errors.ts';
import { optionOf, type OptionSettings, type OptionSpec, type Resolved, type ValueParser } from './option-spec.ts';

/** Settings of kinds of which no value is typical, so that each option has to bring its own example. */
type WithExample<V> = OptionSettings<V> & { readonly example: string };

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;

/** `undefined` becomes the refusal; for parsers that say only that much. */
const orRefuse =
  <V>(parse: (text: string) => V | undefined, refused: string): ValueParser<V> =>
  (text) => {
    const value = parse(text);
    return value === undefined ? { refused } : { value };
  };

/** Any text but the empty one, exactly as given. */
export function text<const S extends WithExample<string>>(settings: S): OptionSpec<Resolved<string, S>> {
  const parse = orRefuse((given) => (given === '' ? undefined : given), 'is empty');
  return optionOf({ parse, form: 'text', example: settings.example }, settings);
}

/** A UUID in any form of `parseUuid`; the value is the canonical text. */
export function uuid<const S extends OptionSettings<string>>(settings: S): OptionSpec<Resolved<string, S>> {
  const parse = orRefuse(parseUuid, 'is no UUID');
  return optionOf({ parse, form: 'UUID', example: 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e' }, settings);
}

/** A time in UTC, to the minute, `YYYY/MM/DD/hh/mm`. */
export function batchTime<const S extends OptionSettings<Date>>(settings: S): OptionSpec<Resolved<Date, S>> {
  const parse = orRefuse(parseBatchTime, `is no time of the form ${BATCH_TIME_FORM}`);
  return optionOf({ parse, form: BATCH_TIME_FORM, example: '2026/11/20/10/00', show: formatBatchTime }, settings);
}

/** A time in UTC, to the minute, `YYYYMMDDhhmm`. */
export function compactTime<const S extends OptionSettings<Date>>(settings: S): OptionSpec<Resolved<Date, S>> {
  const parse = orRefuse(parseCompactTime, `is no time of the form ${COMPACT_TIME_FORM}`);
  return optionOf({ parse, form: COMPACT_TIME_FORM, example: '202611201000', show: formatCompactTime }, settings);
}

/** A moment in ISO 8601 or as `YYYYMMDDhhmm`, see `parseInstant`; UTC unless the text says otherwise. */
export function instant<const S extends OptionSettings<Date>>(settings: S): OptionSpec<Resolved<Date, S>> {
  const parse = orRefuse(parseInstant, `is no time of the form ${INSTANT_FORM}`);
  const show = (time: Date): string => time.toISOString();
  return optionOf({ parse, form: INSTANT_FORM, example: '2026-11-20T10:00:00Z', show }, settings);
}

/**
 * A duration as Go programs take it: `300ms`, `90s`, `1h30m`, `168h`, `1.5h`, `0`. The value is in whole milliseconds,
 * at least `minMs`; what is no whole millisecond is refused, not rounded.
 */
export function duration<const S extends OptionSettings<number>>(
  minMs: number,
  settings: S,
): OptionSpec<Resolved<number, S>> {
  const parse: ValueParser<number> = (given) => {
    const parsed = parseDuration(given);
    if ('fault' in parsed) return { refused: parsed.fault };
    return parsed.ms < minMs ? { refused: `is less than ${formatDuration(minMs)}` } : { value: parsed.ms };
  };
  const form = minMs > 0 ? `duration, at least ${formatDuration(minMs)}` : 'duration';
  return optionOf({ parse, form, example: '3h', show: formatDuration }, settings);
}

/** A decimal integer, `min <= n <= max`; both within JavaScript's safe integers. */
export function integer<const S extends OptionSettings<number>>(
  min: number,
  max: number,
  settings: S,
): OptionSpec<Resolved<number, S>> {
  const form = `integer from ${min} to ${max}`;
  const parse = orRefuse((given) => {
    // `+ 0` makes of "-0" the number that a user means.
    const value = INTEGER.test(given) ? Number(given) + 0 : NaN;
    return value >= min && value <= max ? value : undefined;
  }, `is no ${form}`);
  return optionOf({ parse, form, example: String(min) }, settings);
}

/** A finite number in decimal notation, with or without exponent. */
export function number<const S extends WithExample<number>>(settings: S): OptionSpec<Resolved<number, S>> {
  const parse = orRefuse((given) => {
    const value = NUMBER.test(given) ? Number(given) : NaN;
    return Number.isFinite(value) ? value : undefined;
  }, 'is no finite decimal number');
  return optionOf({ parse, form: 'number', example: settings.example }, settings);
}

/**
 * `true` or `false`, as words: `--is-first false` must never mean true. With `bare`, `--dry-run` alone means true, as
 * in Go programs; unlike there, `--dry-run false` still means false.
 */
export function flag<const S extends OptionSettings<boolean> & { readonly bare?: true }>(
  settings: S,
): OptionSpec<Resolved<boolean, S>> {
  const { bare = false } = settings;
  const words = new Map([
    ['true', true],
    ['false', false],
  ]);
  const parse = orRefuse((given) => words.get(given), 'is neither true nor false');
  return optionOf(
    { parse, form: bare ? 'true or false, alone: true' : 'true or false', example: 'true', bare },
    settings,
  );
}

/** One of the words, at least one of which there must be; case matters. */
export function choice<const V extends string, const S extends OptionSettings<NoInfer<V>>>(
  values: readonly [V, ...V[]],
  settings: S,
): OptionSpec<Resolved<V, S>> {
  const parse = orRefuse((given) => values.find((value) => value === given), `is none of ${values.join(', ')}`);
  return optionOf({ parse, form: values.join(' | '), example: values[0] }, settings);
}

/**
 * Texts between commas. White space around an item is dropped, as secrets mounted from files often end in a line
 * feed; an empty item is refused.
 */
export function list<
  const S extends OptionSettings<readonly string[]> & { readonly example: string; readonly repeat?: never },
>(settings: S): OptionSpec<Resolved<readonly string[], S>> {
  // Shown by `String`, a list has its commas.
  return optionOf({ parse: parseList, form: 'comma-separated list', example: settings.example }, settings);
}

const parseList: ValueParser<readonly string[]> = (given) => {
  const items = given.split(',').map((item) => item.trim());
  return items.includes('') ? { refused: 'has an empty item' } : { value: items };
};

/**
 * Where objects are, e.g. `s3://region/bucket/prefix` or a directory. The value is what `parse` makes of the text;
 * whatever `parse` throws is told as the reason of the refusal. It must not open anything: `--help` and usage
 * errors have to come without touching a storage.
 */
export function storageLocation<V, const S extends WithExample<V>>(
  parse: (text: string) => V,
  settings: S,
): OptionSpec<Resolved<V, S>> {
  const read: ValueParser<V> = (given) => {
    if (given === '') return { refused: 'is empty' };
    try {
      return { value: parse(given) };
    } catch (err) {
      // A foreign message may quote the text, which a secret must not show.
      return { refused: settings.secret ? 'is no storage location' : `is no storage location: ${describeError(err)}` };
    }
  };
  return optionOf({ parse: read, form: 'storage location', example: settings.example }, settings);
}
