import { Writable } from 'node:stream';
import { UsageError } from '../../../common/errors.ts';
import { command, type CommandContext } from '../../../common/runtime/command.ts';
import { flag, integer, list, text, uuid } from '../../../common/runtime/option-values.ts';
import { runProgram, type Program, type ProgramIo } from '../../../common/runtime/program.ts';

/** A stream that keeps what is written. */
export class Capture extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface ToyHooks {
  readonly prepare?: (context: CommandContext) => void;
  readonly run?: (context: CommandContext) => void | Promise<void>;
  readonly seen?: (args: unknown) => void;
}

/** A program with one command that takes options, and one that takes words; what they do is up to the test. */
export function toyProgram(hooks: ToyHooks = {}): Program {
  return {
    name: 'toy',
    version: '1.2.3',
    envPrefix: 'TOY',
    globals: { pushgateway: text({ describe: 'ignored', example: 'host:9091', hidden: true }) },
    commands: [
      command({
        name: 'sign-batch',
        describe: 'sign a batch',
        options: {
          'batch-id': uuid({ describe: 'batch to sign', required: true }),
          'signing-key': text({ describe: 'key to sign with', required: true, secret: true, example: 'BASE64' }),
          'spare-keys': list({ describe: 'more keys', secret: true, default: ['c3BhcmU='], example: 'BASE64,BASE64' }),
          'is-first': flag({ describe: 'whether we are the PHA', default: false, legacyEnv: 'IS_FIRST' }),
          'packet-count': integer(-10, 65_535, { describe: 'packets to make', alias: 'p', legacyEnv: 'PACKET_COUNT' }),
          label: text({ describe: 'label to set', repeat: true, example: 'red' }),
          identity: text({ describe: 'role to assume', emptyIsUnset: true, example: 'arn:aws:iam::1:role/x' }),
          internal: text({ describe: 'for tests', hidden: true, example: 'x' }),
        },
        check: (args) => {
          if (args['is-first'] && args.label.length > 0) throw new UsageError('--is-first true excludes --label');
        },
        prepare: (_args, context) => {
          hooks.prepare?.(context);
          return 'prepared' as const;
        },
        run: async (args, context, prepared) => {
          hooks.seen?.({ ...args, prepared });
          await hooks.run?.(context);
        },
      }),
      command({
        name: 'inspect',
        describe: 'print objects',
        options: { limit: integer(0, 100, { describe: 'objects to print', default: 10 }) },
        words: { name: 'file', describe: 'objects to print' },
        run: async (args, context) => {
          hooks.seen?.(args);
          for (const file of args.file) await context.stdout.write(`${file}\n`);
          await hooks.run?.(context);
        },
      }),
    ],
  };
}

export interface ToyRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stderr as JSON lines. */
  readonly lines: () => Record<string, unknown>[];
}

/** Runs the toy program with the given command line, environment and whatever else of the process the test sets. */
export async function runToy(
  argv: readonly string[],
  { hooks, ...io }: Partial<ProgramIo> & { readonly hooks?: ToyHooks } = {},
): Promise<ToyRun> {
  return runCaptured(toyProgram(hooks), { argv, ...io });
}

/** Runs a program in a process of which only the given parts differ from nothing at all. */
export async function runCaptured(program: Program, io: Partial<ProgramIo>): Promise<ToyRun> {
  const stdout = new Capture();
  const stderr = new Capture();
  const status = await runProgram(program, {
    argv: [],
    env: {},
    stdout,
    stderr,
    stderrIsTty: false,
    clock: () => new Date('2026-11-21T10:00:00Z'),
    randomBytes: (count) => new Uint8Array(count),
    readFile: (path) => Promise.reject(new Error(`ENOENT: no ${path}`)),
    signal: new AbortController().signal,
    ...io,
  });
  const lines = (): Record<string, unknown>[] =>
    stderr.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, stdout: stdout.text, stderr: stderr.text, lines };
}
