import { UsageError } from '../errors.ts';
import type { ConfigFile } from './config-file.ts';
import { fromEnvironment, type Environment } from './environment.ts';
import type { OptionSpec } from './option-spec.ts';

/** Options by name, without dashes in front: `{ 'is-first': flag({ … }) }`. */
export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;

/** The values of a table: what a command gets for its options. */
export type Args<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends OptionSpec<infer V> ? V : never;
};

/** Where values come from. */
export interface OptionSources {
  /** The texts of each option on the command line, in order. */
  readonly commandLine: ReadonlyMap<string, readonly string[]>;
  readonly env: Environment;
  /** `FACILITATOR` for variables like `FACILITATOR_IS_FIRST`. */
  readonly envPrefix: string;
  /** The file of `--config`, if one was given. */
  readonly config?: ConfigFile | undefined;
}

/** Longer values are cut short in errors. */
const SHOWN_CHARACTERS = 80;

/**
 * The value of every option of a table: from the command line, else the prefixed variable, else the unprefixed one,
 * else the file, else the default.
 * @throws UsageError for a malformed value, an option given twice, or required options that are missing
 */
export function readOptions<const T extends OptionTable>(table: T, sources: OptionSources): Args<T> {
  const values: Record<string, unknown> = {};
  const missing: [string, OptionSpec<unknown>][] = [];
  for (const [name, spec] of Object.entries(table)) {
    const given = givenTexts(name, spec, sources);
    if (given) values[name] = readValue(spec, given);
    else if (spec.fallback) values[name] = spec.fallback.value;
    else missing.push([name, spec]);
  }
  if (missing.length > 0) throw missingOptions(missing);
  // Every option of the table is in `values`, read by its own spec.
  return values as Args<T>;
}

/** `--date 2026/11/20/10/00` */
export function exampleOf(name: string, spec: OptionSpec<unknown>): string {
  return `--${name} ${spec.example}`;
}

interface GivenTexts {
  /** For errors: `--date`, `--date (from FACILITATOR_DATE)` or `--date (from options.json)`. */
  readonly source: string;
  readonly example: string;
  readonly texts: readonly string[];
}

function givenTexts(name: string, spec: OptionSpec<unknown>, sources: OptionSources): GivenTexts | undefined {
  const typed = sources.commandLine.get(name);
  const example = exampleOf(name, spec);
  if (typed) return unlessEmpty(spec, { source: `--${name}`, example, texts: typed });
  const found = fromEnvironment(sources.envPrefix, name, spec, sources.env);
  if (found) {
    const texts = spec.repeat ? found.text.split(',') : [found.text];
    return { source: `--${name} (from ${found.variable})`, example, texts };
  }
  const { config } = sources;
  const value = config?.values.get(name);
  if (!config || value === undefined) return undefined;
  const source = `--${name} (from ${config.path})`;
  if (typeof value !== 'string' && !spec.repeat) throw new UsageError(`${source}: takes one value, not a list`);
  // Unlike in a variable a comma means itself, as there are lists.
  return unlessEmpty(spec, { source, example, texts: [value].flat() });
}

function unlessEmpty({ emptyIsUnset }: OptionSpec<unknown>, given: GivenTexts): GivenTexts | undefined {
  const texts = emptyIsUnset ? given.texts.filter((text) => text !== '') : given.texts;
  return texts.length > 0 ? { ...given, texts } : undefined;
}

function readValue(spec: OptionSpec<unknown>, { source, example, texts }: GivenTexts): unknown {
  if (texts.length > 1 && !spec.repeat) throw new UsageError(`${source} is given ${texts.length} times, but takes one`);
  const result = spec.read(texts);
  if ('value' in result) return result.value;
  throw new UsageError(`${source}: ${shown(result.text ?? '', spec.secret)} ${result.refused}; example: ${example}`);
}

function shown(given: string, secret: boolean): string {
  if (secret) return '(hidden)';
  // A URL may hold a password where no option expects one.
  const text = given.replaceAll(/\/\/[^/@\s]*@/g, '//…@');
  if (text.length <= SHOWN_CHARACTERS) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}… (${text.length} characters)`;
}

/** Names them all, with an example of each. */
export function missingOptions(missing: readonly [string, OptionSpec<unknown>][]): UsageError {
  const names = missing.map(([name]) => `--${name}`).join(', ');
  const example = missing.map(([name, spec]) => exampleOf(name, spec)).join(' ');
  return new UsageError(`missing ${names}; example: ${example}`);
}
