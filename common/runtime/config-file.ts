import { UsageError } from '../errors.ts';
import { shownName } from './argument-tokens.ts';
import { nearest } from './nearest.ts';
import { text } from './option-values.ts';
import type { OptionTable } from './options.ts';

/** Names the file that gives what neither command line nor environment do; every command of every program takes it. */
export const configOptions = {
  config: text({
    describe: 'file that gives options: a JSON object of their names, without dashes, and values',
    example: '/etc/dsp/options.json',
    emptyIsUnset: true,
  }),
} as const;

/** What a file says of options. */
export interface ConfigFile {
  /** As it was given, for errors. */
  readonly path: string;
  /** Texts as they would be typed; a list where the file has one. */
  readonly values: ReadonlyMap<string, string | readonly string[]>;
}

/** Where a file is read from. */
export interface ConfigSource {
  /** @returns UTF-8 */
  readonly readFile: (path: string) => Promise<string>;
  /** The options of all commands of the program: one file may serve them all. */
  readonly known: OptionTable;
}

/**
 * Reads the file of `--config`. What options make of its values is not looked at here, since that depends on the command.
 * Contents are never shown, as they may be secrets.
 * @throws UsageError if it cannot be read, is no JSON object, or has an unknown name or a value that no option can have
 */
export async function readConfigFile(path: string, { readFile, known }: ConfigSource): Promise<ConfigFile> {
  const content = await contentOf(path, readFile);
  const entries = Object.entries(parseObject(path, content));
  const unknown = entries.filter(([name]) => !isKnown(name, known)).map(([name]) => unknownName(name, known));
  if (unknown.length > 0) throw new UsageError(`--config ${path}: ${unknown.join('; ')}`);
  return { path, values: new Map(entries.map(([name, value]) => [name, textsOf(value, name, path)])) };
}

async function contentOf(path: string, readFile: ConfigSource['readFile']): Promise<string> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new UsageError(`--config ${path} cannot be read; give a file that holds options as JSON`, { cause });
  }
}

function parseObject(path: string, content: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    // The parser's message quotes the content, so it is no cause to tell.
    throw new UsageError(`--config ${path} is no JSON; example: {"is-first": true}`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new UsageError(`--config ${path} is no JSON object; example: {"is-first": true}`);
}

const isKnown = (name: string, known: OptionTable): boolean => Object.hasOwn(known, name) && name !== 'config';

function unknownName(name: string, known: OptionTable): string {
  if (name === 'config') return 'the option config cannot come from the file that it names';
  const visible = Object.keys(known).filter((candidate) => candidate !== 'config' && !known[candidate]?.hidden);
  const candidate = nearest(name, visible);
  const hint = candidate === undefined ? '' : `; did you mean ${candidate}?`;
  // Whoever copies names from a command line may take the dashes along.
  const dashes = /^-{0,2}/.exec(name)?.[0] ?? '';
  return `unknown option ${shownName(dashes, name.slice(dashes.length))}${hint}`;
}

function textsOf(value: unknown, name: string, path: string): string | readonly string[] {
  const values: readonly unknown[] = [value].flat();
  const texts = values.map(textOf).filter((text) => text !== undefined);
  // What is no list has become a list of one.
  if (texts.length === values.length) return Array.isArray(value) ? texts : texts[0]!;
  throw new UsageError(
    `--${name} (from ${path}): is neither text, number, true or false, nor a list of such; leave it out if it is not to be set`,
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
