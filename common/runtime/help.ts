import yargs, { type Argv, type Options } from 'yargs';
import type { CommandLineGrammar } from './command-line.ts';
import type { Command } from './command.ts';
import { commandsOf, fullNameOf, wordsUsage } from './commands.ts';
import { variablesOf } from './environment.ts';
import { withWholeNames } from './help-names.ts';
import type { OptionSpec } from './option-spec.ts';
import type { OptionTable } from './options.ts';

/*
 * Help, laid out by yargs. Loaded only where it is asked for: yargs and what it measures texts with take longer to load
 * than all else that a program needs to read its command line.
 */

/** Fixed, so that help is the same text everywhere and can be pinned. */
const HELP_COLUMNS = 100;

/** Help for a command, or for the program as a whole; without line feed at the end. */
export function helpOf(grammar: CommandLineGrammar, command?: Command): string {
  let output = '';
  const words = command && !grammar.only ? [command.name] : [];
  // With a callback yargs hands its output over instead of printing it.
  void parserOf(grammar).parse([...words, '--help'], {}, (err, _parsed, text) => {
    if (err) throw err;
    output = text;
  });
  const tables = [grammar.globals, ...commandsOf(grammar).map(({ options }) => options)];
  return withWholeNames(output, new Set(tables.flatMap((table) => Object.keys(table))));
}

function parserOf(grammar: CommandLineGrammar): Argv {
  const parser = yargs().scriptName(grammar.name).locale('en').wrap(HELP_COLUMNS).exitProcess(false).fail(false);
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
      handler: () => {},
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
