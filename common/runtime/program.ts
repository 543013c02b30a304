import type { Writable } from 'node:stream';
import { describeError, errorFields, fateOf } from '../errors.ts';
import { checkCommandLine, parseCommandLine, type CommandLine, type CommandLineGrammar } from './command-line.ts';
import type { Command } from './command.ts';
import { configOptions, readConfigFile, type ConfigFile } from './config-file.ts';
import { commandsOf, fullNameOf, shortNameOf, type Commands } from './commands.ts';
import type { Environment } from './environment.ts';
import { EXIT_STATUS, exitStatusOf, type ExitStatus, type Phase } from './exit-status.ts';
import { logOptions } from './log-options.ts';
import type { Logger, LogLevel } from './log.ts';
import { readOptions, type OptionSources, type OptionTable } from './options.ts';
import { outputOf } from './standard-output.ts';

export type Program = ProgramSettings & Commands;

export interface ProgramSettings {
  /** As typed: `facilitator`. */
  readonly name: string;
  readonly version: string;
  /** `FACILITATOR` for variables like `FACILITATOR_IS_FIRST`. */
  readonly envPrefix: string;
  /**
   * Options taken everywhere and checked, but handed to no command, e.g. those of old manifests that mean nothing
   * any more. The options of logging and `--config` are added to them.
   */
  readonly globals?: OptionTable;
}

/** What a program gets from the process; `main.ts` takes it from `process`. */
export interface ProgramIo {
  /** Without executable and script. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** For results, help and version. */
  readonly stdout: Writable;
  /** For logs and usage errors. Writes must be synchronous, as those of `process.stderr` on Linux are. */
  readonly stderr: Writable;
  readonly stderrIsTty: boolean;
  readonly clock: () => Date;
  /** See `CommandContext.stopwatch`; without it there are no fractions. */
  readonly stopwatch?: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** The text of the file of `--config`, UTF-8. */
  readonly readFile: (path: string) => Promise<string>;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** See `CommandContext.stopNow`; without it no command is ever asked a second time. */
  readonly stopNow?: () => AbortSignal;
  /** Subscribes to warnings of the runtime and of libraries, which then are lines of the log. */
  readonly onWarning?: (listener: (warning: Error) => void) => void;
}

/**
 * Runs one command line to its end. Does not end the process; what a command throws becomes an exit status and one
 * line: plain text for usage errors, else a line of the log.
 * @throws TypeError if the options of the program contradict each other
 */
export async function runProgram(program: Program, io: ProgramIo): Promise<ExitStatus> {
  const grammar = grammarOf(program);
  // Whoever closes our stderr loses the log; that must not stop the work.
  io.stderr.on('error', () => {});
  const line = parseCommandLine(grammar, io.argv);
  let log: Logger | undefined;
  let phase: Phase = 'prepare';
  const closers: (() => Promise<void>)[] = [];
  try {
    const stdout = outputOf(io.stdout);
    if (line.asksFor !== undefined) {
      await stdout.write(`${await answerTo(line, grammar)}\n`);
      return EXIT_STATUS.done;
    }
    checkCommandLine(grammar, line);
    if (!line.command) {
      io.stderr.write(`${await helpFor(grammar)}\n`);
      return EXIT_STATUS.usage;
    }
    const { clock, env, randomBytes, signal, stopNow = () => new AbortController().signal } = io;
    const { stopwatch = () => clock().getTime() } = io;
    const typed = { commandLine: line.options, env, envPrefix: program.envPrefix };
    const sources = { ...typed, config: await configOf(grammar, io, typed) };
    const globals = readOptions({ ...program.globals, ...logOptions }, sources);
    log = await loggerOf(program, io, globals['log-level'], globals['force-json-log-output']);
    forwardWarnings(io, log);
    const bound = line.command.bind({ ...sources, words: line.words });
    const atEnd = (close: () => Promise<void>): void => void closers.push(close);
    const work = await bound.prepare({ log, clock, stopwatch, stdout, randomBytes, signal, stopNow, atEnd });
    phase = 'run';
    await work();
    return EXIT_STATUS.done;
  } catch (err) {
    const status = exitStatusOf(err, phase);
    const fullName = fullNameOf(program, line.command);
    if (status === EXIT_STATUS.usage) {
      io.stderr.write(`${fullName}: ${describeError(err)}\nsee ${fullName} --help\n`);
    } else {
      log ??= await loggerOf(program, io, 'info', true);
      logFailure(log, shortNameOf(program, line.command), err);
    }
    return status;
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function answerTo({ asksFor, command }: CommandLine, grammar: CommandLineGrammar): Promise<string> {
  return asksFor === 'version' ? `${grammar.name} ${grammar.version}` : helpFor(grammar, command);
}

async function helpFor(grammar: CommandLineGrammar, command?: Command): Promise<string> {
  const { helpOf } = await import('./help.ts');
  return helpOf(grammar, command);
}

/** The file of `--config`, which only command line and environment can name. */
async function configOf(
  grammar: CommandLineGrammar,
  { readFile }: ProgramIo,
  sources: OptionSources,
): Promise<ConfigFile | undefined> {
  const { config: path } = readOptions(configOptions, sources);
  if (path === undefined) return undefined;
  const known = commandsOf(grammar).reduce((all, { options }) => ({ ...all, ...options }), grammar.globals);
  return readConfigFile(path, { readFile, known });
}

function forwardWarnings({ onWarning }: ProgramIo, log: Logger): void {
  onWarning?.(({ name, message }) => log.warn({ warning: name }, message));
}

/** One line for a failed command, at level debug always with the stack. */
function logFailure(log: Logger, name: string, err: unknown): void {
  const stack = err instanceof Error && log.isLevelEnabled('debug') ? { stack: err.stack } : {};
  log.error({ ...errorFields(err), fate: fateOf(err), ...stack }, `${name} failed`);
}

async function loggerOf(
  { version }: Program,
  { clock, env, stderr, stderrIsTty }: ProgramIo,
  level: LogLevel,
  forceJson: boolean,
): Promise<Logger> {
  // Loaded here, so that help, version and faults of the command line need not wait for it.
  const { createLogger } = await import('./log.ts');
  const toStderr = (text: string): void => void stderr.write(text);
  if (!stderrIsTty || forceJson) return createLogger({ level, version, clock, write: toStderr });
  const { prettyWriter } = await import('./pretty-log.ts');
  // NO_COLOR with any text but the empty one, by the convention of https://no-color.org.
  return createLogger({ level, version, clock, write: prettyWriter(toStderr, !env['NO_COLOR']) });
}

function grammarOf(program: Program): CommandLineGrammar {
  const globals = { ...program.globals, ...configOptions, ...logOptions };
  const commands = commandsOf(program);
  for (const command of commands) refuseDoubles(command, globals);
  refuseHalfBare([globals, ...commands.map(({ options }) => options)]);
  return { ...program, globals };
}

/** yargs would silently merge two options of one name, and the command would read the value meant for the other. */
function refuseDoubles(command: Command, globals: OptionTable): void {
  const seen = new Set(['help', 'version', 'h', '_', '$0']);
  for (const [name, { alias }] of [...Object.entries(globals), ...Object.entries(command.options)]) {
    for (const form of alias === undefined ? [name] : [name, alias]) {
      if (seen.has(form)) throw new TypeError(`${command.name}: the option ${form} is declared twice or is reserved`);
      seen.add(form);
    }
  }
}

/** Values are told from words before the command is known, so an option is bare in all commands or in none. */
function refuseHalfBare(tables: readonly OptionTable[]): void {
  const bareness = new Map<string, boolean>();
  for (const [name, { alias, bare }] of tables.flatMap((table) => Object.entries(table))) {
    for (const form of alias === undefined ? [name] : [name, alias]) {
      if ((bareness.get(form) ?? bare) !== bare)
        throw new TypeError(`the option ${form} is bare in some commands only`);
      bareness.set(form, bare);
    }
  }
}
