import type { Logger } from './log.ts';
import { readOptions, type Args, type OptionSources, type OptionTable } from './options.ts';
import type { Output } from './standard-output.ts';

/** What a command may use of the process it runs in. The environment is not in it: options are all there is. */
export interface CommandContext {
  readonly log: Logger;
  readonly clock: () => Date;
  /** Milliseconds since some moment, with fractions; for durations. */
  readonly stopwatch: () => number;
  readonly stdout: Output;
  /** Cryptographically strong random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Aborted when the process is asked to end (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
  /**
   * Aborted when the process is asked a second time, to end at once. Whoever calls it has to end within seconds then; if
   * nobody does, the second signal ends the process.
   */
  readonly stopNow: () => AbortSignal;
  /** Remembers what is to be closed when the command has ended, however it ends; the last comes first. */
  readonly atEnd: (close: () => Promise<void>) => void;
}

/** Words after the options, e.g. file names; at least one. */
export interface WordsSpec<N extends string> {
  /** Their name among the arguments, e.g. `file`; in help `FILE…`. */
  readonly name: N;
  readonly describe: string;
}

/** The options of a command and its words, if it takes any. */
export type CommandArgs<T extends OptionTable, N extends string> = Args<T> & Readonly<Record<N, readonly string[]>>;

export interface CommandSpec<T extends OptionTable, N extends string, P> {
  readonly name: string;
  /** One sentence for help, lower-case, no full stop. */
  readonly describe: string;
  readonly options: T;
  readonly words?: WordsSpec<N>;
  /** Rules across options. Throws `UsageError`. */
  check?(args: CommandArgs<T, N>): void;
  /**
   * Opens what `run` needs and changes nothing. Only here do `PermissionDenied` and `ConfigurationInvalid` give the
   * exit statuses 77 and 78.
   */
  prepare?(args: CommandArgs<T, N>, context: CommandContext): Promise<P> | P;
  /** Does the work; throws to fail. `prepared` is what `prepare` returned. */
  run(args: CommandArgs<T, N>, context: CommandContext, prepared: P): Promise<void>;
}

/** What the command line and the environment give a command. */
export interface CommandInput extends OptionSources {
  readonly words: readonly string[];
}

/** A command that has its arguments: `prepare` returns the work, which is done by calling it. */
export interface BoundCommand {
  prepare(context: CommandContext): Promise<() => Promise<void>>;
}

/** A command as `runProgram` takes it, whatever its options are. Made by `command`. */
export interface Command {
  readonly name: string;
  readonly describe: string;
  readonly options: OptionTable;
  readonly words: WordsSpec<string> | undefined;
  /** @throws UsageError */
  bind(input: CommandInput): BoundCommand;
}

/**
 * Makes a command. The types of `args` follow from the option table, that of `prepared` from `prepare`.
 * @example
 * command({
 *   name: 'inspect',
 *   describe: 'print objects as JSON',
 *   options: { 'is-first': flag({ describe: '…', required: true }) },
 *   words: { name: 'file', describe: 'objects to print' },
 *   run: async (args, { stdout }) => { … args['is-first'], args.file … },
 * })
 */
export function command<const T extends OptionTable, const N extends string = never, P = undefined>(
  spec: CommandSpec<T, N, P>,
): Command {
  return {
    name: spec.name,
    describe: spec.describe,
    options: spec.options,
    words: spec.words,
    bind: (input) => {
      const words = spec.words ? { [spec.words.name]: input.words } : {};
      // `N` names `words` if there are any, and is `never` otherwise.
      const args = { ...readOptions(spec.options, input), ...words } as CommandArgs<T, N>;
      spec.check?.(args);
      return {
        prepare: async (context) => {
          // Without `prepare`, `P` is `undefined`.
          const prepared = (await spec.prepare?.(args, context)) as P;
          return () => spec.run(args, context, prepared);
        },
      };
    },
  };
}
