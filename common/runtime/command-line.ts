import yargs, { type Argv, type Options } from 'yargs';
import { UsageError } from '../errors.ts';
import { sealArguments } from './argument-tokens.ts';
import type { Command } from './command.ts';
import { commandsOf, fullNameOf, shortNameOf, type Commands } from './commands.ts';
import { variablesOf } from './environment.ts';
import { withWholeNames } from './help-names.ts';
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
  /** The text that `--help` or `--version` asks for, without line feed at the end. */
  readonly output: string | undefined;
  /** `undefined` if none or an unknown one was named, which cannot be where there is only one. */
  readonly command: Command | undefined;
  /** The texts of each option, in order. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Words behind the command; an unknown command is the first of them. */
  readonly words: readonly string[];
  readonly undeclared: readonly string[];
  readonly valueless: readonly string[];
}

/** Fixed, so that help is the same text everywhere and can be pinned. */
const HELP_COLUMNS = 100;

/** Parses `argv` (without executable and script). Prints nothing and does not look at the environment. */
export function parseCommandLine(grammar: CommandLineGrammar, argv: readonly string[]): CommandLine {
  const tables = [grammar.globals, ...commandsOf(grammar).map(({ options }) => options)];
  const all = new Set(tables.flatMap((table) => namesOf(table)));
  const bare = new Set(tables.flatMap((table) => namesOf(table, ({ bare }) => bare)));
  const sealed = sealArguments(argv, { all, bare });
  // Words behind `--` stay words, also those like `-5`; only the name of a command must stand before it.
  const commandWords = grammar.only ? 0 : 1;
  const { options: sealedOptions, words: sealedWords } = sealed;
  const typed = [...sealedOptions, ...sealedWords.slice(0, commandWords), '--', ...sealedWords.slice(commandWords)];
  let command = grammar.only;
  const parser = parserOf(grammar, (chosen) => (command = chosen));
  let output = '';
  let parsed: Readonly<Record<string, unknown>> = {};
  // With a callback yargs hands its output over instead of printing it.
  void parser.parse(typed, {}, (err, result, text) => {
    if (err) throw err;
    parsed = result;
    output = text;
  });
  const { _: words, $0: _program, help: _help, version: _version, ...options } = parsed;
  return {
    output: output === '' ? undefined : withWholeNames(output, all),
    command,
    options: new Map(Object.entries(options).map(([name, indices]) => [name, unseal(indices, sealed.values)])),
    // Numbers are not parsed, so these are texts.
    words: (words as string[]).slice(command ? commandWords : 0),
    undeclared: sealed.undeclared,
    valueless: sealed.valueless,
  };
}

/** Help for the program as a whole. */
export function programHelp(grammar: CommandLineGrammar): string {
  return parseCommandLine(grammar, ['--help']).output ?? '';
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

/** yargs gives one index as text, several as a list of texts. */
function unseal(indices: unknown, values: readonly string[]): readonly string[] {
  return [indices].flat().map((index) => {
    const value = values[Number(index)];
    if (value === undefined) throw new TypeError('yargs invented the value of an option');
    return value;
  });
}

function parserOf(grammar: CommandLineGrammar, choose: (command: Command) => void): Argv {
  const parser = yargs()
    .scriptName(grammar.name)
    .locale('en')
    .wrap(HELP_COLUMNS)
    .exitProcess(false)
    .fail(false)
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'strip-aliased': true,
      'duplicate-arguments-array': true,
    });
  if (grammar.only) describeCommand(parser, grammar, grammar.only);
  else parser.usage(`${grammar.name} COMMAND [OPTION…]`);
  parser
    .help('help', 'show this text')
    .version('version', 'show the version', `${grammar.name} ${grammar.version}`)
    .options(helpEntries(grammar.globals, grammar.envPrefix));
  for (const command of grammar.commands ?? []) {
    parser.command({
      command: command.name,
      describe: command.describe,
      builder: (parser) => describeCommand(parser, grammar, command, `Options of ${command.name}:`),
      handler: () => choose(command),
    });
  }
  return parser;
}

/** Usage and options of a command, under a heading of their own if `group` names one. */
function describeCommand(parser: Argv, grammar: CommandLineGrammar, command: Command, group?: string): Argv {
  const usage = [fullNameOf(grammar, command), '[OPTION…]', ...(command.words ? [wordsUsage(command)] : [])].join(' ');
  const words = command.words ? `\n\n${wordsUsage(command)}: ${command.words.describe}` : '';
  return parser
    .usage(`${usage}\n\n${command.describe}${words}`)
    .options(helpEntries(command.options, grammar.envPrefix, group));
}

const wordsUsage = ({ words }: Command): string => `${words?.name.toUpperCase() ?? ''}…`;

/** Options without a type, so that yargs adds no marks of its own: all that is to be said is in the description. */
function helpEntries(table: OptionTable, envPrefix: string, group?: string): Record<string, Options> {
  const entries = Object.entries(table).map(([name, spec]): [string, Options] => [
    name,
    {
      describe: helpText(name, spec, envPrefix),
      hidden: spec.hidden,
      ...(spec.alias === undefined ? {} : { alias: spec.alias }),
      ...(group === undefined ? {} : { group }),
    },
  ]);
  return Object.fromEntries(entries);
}

function helpText(name: string, spec: OptionSpec<unknown>, envPrefix: string): string {
  const marks = [
    spec.form,
    ...(spec.fallback ? [] : ['required']),
    ...(spec.repeat ? ['may be repeated'] : []),
    ...(spec.defaultText === undefined ? [] : [`default: ${spec.defaultText}`]),
    `example: ${spec.example}`,
    `env: ${variablesOf(envPrefix, name, spec).join(', ')}`,
  ];
  return [spec.describe, ...marks.map((mark) => `[${mark}]`)].join(' ');
}
