import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const PROGRAMS = {
  facilitator: fileURLToPath(new URL('../../facilitator/main.js', import.meta.url)),
  'workflow-manager': fileURLToPath(new URL('../../workflow-manager/main.js', import.meta.url)),
} as const;

/** How much of a failed process's last words an error repeats. */
const TAIL_CHARACTERS = 2000;

/** What every process of the deployment inherits. */
export interface ProcessSettings {
  /** The environment of our own process, for PATH and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Ends all processes that were started. */
  readonly signal: AbortSignal;
}

/** What to run. Key material goes through `secrets`, as environment variables, never through arguments. */
export interface Invocation {
  readonly program: keyof typeof PROGRAMS;
  readonly args: readonly string[];
  readonly secrets?: Readonly<Record<string, string>>;
}

/** How a process ended: by itself with `code`, or killed by a signal that was not ours. */
export interface Ending {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** For an error: which process it was, how it ended, its last words, where its log is. */
  readonly description: string;
}

/**
 * Runs a process until it ends. SIGTERM ends it when `settings.signal` is aborted; it ends by itself should we die, as
 * the channel between us then closes.
 * @throws the signal's reason if that is aborted, after the process has ended
 */
export async function runProcess(invocation: Invocation, settings: ProcessSettings): Promise<Ending> {
  settings.signal.throwIfAborted();
  const log = createWriteStream(settings.logFile, { flags: 'a' });
  const logged = finished(log);
  // Awaited below; until then a failure to write must not count as unhandled.
  logged.catch(() => {});
  const child = spawn(process.execPath, [PROGRAMS[invocation.program], ...invocation.args], {
    env: { ...settings.env, ...invocation.secrets },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    signal: settings.signal,
    killSignal: 'SIGTERM',
  });
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      tail = (tail + text).slice(-TAIL_CHARACTERS);
    });
  }
  // `close` comes also after `error`, which an abort causes, and only then is the process surely gone.
  const [code, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('error', (err) => (tail += err.message));
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  log.end();
  settings.signal.throwIfAborted();
  await logged;
  const how = killedBy ?? `status ${code}`;
  const description = `${describeProcess(invocation)} ended with ${how}: ${lastWords(tail)} (log: ${settings.logFile})`;
  return { code, killedBy, description };
}

/** As `runProcess`. @throws Error if the process does not exit with 0 */
export async function runToSuccess(invocation: Invocation, settings: ProcessSettings): Promise<void> {
  const { code, description } = await runProcess(invocation, settings);
  if (code !== 0) throw new Error(description);
}

/** The command and what it was to work on; for a message, all other arguments are too much. */
function describeProcess({ program, args }: Invocation): string {
  const shown = ['--aggregation-id', '--batch-id', '--is-first'].flatMap((option) => {
    const at = args.indexOf(option);
    // An option that is there has its value behind it; aggregate has many batches, of which one says nothing.
    return at < 0 || args.lastIndexOf(option) !== at ? [] : [`${option} ${args[at + 1]!}`];
  });
  const command = program === 'facilitator' ? args.slice(0, 1) : [];
  return [program, ...command, ...shown].join(' ');
}

/** The error in the last line of a log; whatever else was written, as it is. */
function lastWords(tail: string): string {
  const text = tail.trim();
  try {
    const line = JSON.parse(text.slice(text.lastIndexOf('\n') + 1)) as Readonly<Record<string, unknown>>;
    if (typeof line['error_code'] === 'string') return `${line['error_code']}, ${String(line['error'])}`;
  } catch {
    // Not a line of a log: node's own last words, or nothing.
  }
  return text;
}
