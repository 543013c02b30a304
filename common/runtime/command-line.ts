import { UsageError } from '../errors.ts';
import { argumentTokens } from './argument-tokens.ts';
import type { Command } from './command.ts';
import { commandsOf, shortNameOf, wordsUsage, type Commands } from './commands.ts';
import { nearest } from './nearest.ts';
import type { OptionSpec } from './option-spec.ts';
import { exampleOf, type OptionTable } from './options.ts';

/** What can be typed: a program's commands and options. */
export type CommandLineGrammar = Commands & {
  readonly name: string;
  readonly version: string;
  /** `FACILITATOR` for variables like `FACILITATOR_IS_FIRST`; shown in help. */
  readonly envPrefix: string;
  /** Options of every command, which may also stand before the command. */
  readonly globals: OptionTable;
};

/** What was typed. The names are not checked yet, see `checkCommandLine`: `--help` must work among mistakes. */
export interface CommandLine {
  /** What to print instead of running the command. */
  readonly asksFor: 'help' | 'version' | undefined;
  /** `undefined` if none or an unknown one was named, which cannot be where there is only one. */
  readonly command: Command | undefined;
  /** The texts of each option, in order. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Words behind the command; an unknown command is the first of them. */
  readonly words: readonly string[];
  readonly undeclared: readonly string[];
  readonly valueless: readonly string[];
}

/** Parses `argv` (without executable and script). Prints nothing and does not look at the environment. */
export function parseCommandLine(grammar: CommandLineGrammar, argv: readonly string[]): CommandLine {
  const tables = [grammar.globals, ...commandsOf(grammar).map(({ options }) => options)];
  const all = new Set(tables.flatMap((table) => namesOf(table)));
  const bare = new Set(tables.flatMap((table) => namesOf(table, ({ bare }) => bare)));
  const { switches, words, undeclared, valueless, ...typed } = argumentTokens(argv, { all, bare });
  const named = grammar.commands?.find(({ name }) => name === words[0]);
  const command = grammar.only ?? named;
  // `facilitator help`, as many programs take it.
  const asksForHelp = switches.has('help') || (grammar.commands !== undefined && words[0] === 'help');
  return {
    asksFor: asksForHelp ? 'help' : switches.has('version') ? 'version' : undefined,
    command,
    options: valuesByName(typed.options, { ...grammar.globals, ...command?.options }),
    words: named ? words.slice(1) : words,
    undeclared,
    valueless,
  };
}

/** Letters become the names they stand for in `table`; what it does not have stays as it was typed. */
function valuesByName(
  typed: readonly (readonly [form: string, value: string])[],
  table: OptionTable,
): ReadonlyMap<string, readonly string[]> {
  const aliases = new Map(Object.entries(table).flatMap(([name, { alias }]) => (alias ? [[alias, name]] : [])));
  const values = new Map<string, string[]>();
  for (const [form, value] of typed) {
    const name = aliases.get(form) ?? form;
    const texts = values.get(name);
    if (texts) texts.push(value);
    else values.set(name, [value]);
  }
  return values;
}

/** @throws UsageError for unknown commands and options, options without value, and words where none belong */
export function checkCommandLine(grammar: CommandLineGrammar, line: CommandLine): void {
  const { command } = line;
  const [word] = line.words;
  if (!command && word !== undefined) throw unknownCommand(word, commandsOf(grammar));
  const table: OptionTable = { ...grammar.globals, ...command?.options };
  const unknown = [...line.undeclared, ...(command ? foreignOptions(line, table) : [])];
  if (unknown.length > 0) throw new UsageError(unknown.map((name) => unknownOption(name, table)).join('; '));
  for (const [name, spec] of Object.entries(table)) {
    if (!line.valueless.includes(name) && !line.valueless.includes(spec.alias ?? name)) continue;
    throw new UsageError(`--${name} needs a value: ${spec.form}; example: ${exampleOf(name, spec)}`);
  }
  if (command) checkWords(command, shortNameOf(grammar, command), line.words, table);
}

/** Declared, but by another command than the one that was named. */
function foreignOptions({ options, valueless }: CommandLine, table: OptionTable): string[] {
  const own = new Set(namesOf(table));
  return [...options.keys(), ...valueless].filter((name) => !own.has(name)).map(dashed);
}

function unknownOption(dashedName: string, table: OptionTable): string {
  const visible = Object.keys(table).filter((name) => !table[name]?.hidden);
  return `unknown option ${dashedName}${didYouMean(dashedName, visible.map(dashed))}`;
}

function unknownCommand(word: string, commands: readonly Command[]): UsageError {
  const names = commands.map(({ name }) => name);
  // Anything else is a value that lost its option, and may be a secret.
  const shown = /^[\w.-]{1,40}$/.test(word) ? JSON.stringify(word) : '(hidden)';
  return new UsageError(`unknown command ${shown}${didYouMean(word, names)}`);
}

const didYouMean = (word: string, candidates: readonly string[]): string => {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? '' : `; did you mean ${candidate}?`;
};

function checkWords(command: Command, name: string, words: readonly string[], table: OptionTable): void {
  if (command.words && words.length === 0) {
    throw new UsageError(`missing ${wordsUsage(command)}: ${command.words.describe}`);
  }
  if (command.words || words.length === 0) return;
  // A key with a blank, given without quotes, comes as words.
  const secrets = Object.values(table).some(({ secret }) => secret);
  const shown = secrets ? '(hidden)' : words.map((word) => JSON.stringify(word)).join(' ');
  throw new UsageError(`unexpected ${shown}: ${name} takes options only; quote values that contain blanks`);
}

const dashed = (name: string): string => `${name.length > 1 ? '--' : '-'}${name}`;

const namesOf = (table: OptionTable, which: (spec: OptionSpec<unknown>) => boolean = () => true): string[] =>
  Object.entries(table)
    .filter(([, spec]) => which(spec))
    .flatMap(([name, { alias }]) => (alias === undefined ? [name] : [name, alias]));
