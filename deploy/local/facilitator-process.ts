import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../facilitator/main.js', import.meta.url));
/** How much of a failed process's last words an error repeats. */
const TAIL_CHARACTERS = 2000;

/** What every process of the deployment inherits; key material goes through `env`, never through arguments. */
export interface ProcessSettings {
  /** The environment of our own process, for PATH and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Ends all processes that were started. */
  readonly signal: AbortSignal;
}

/**
 * Runs one `facilitator` command as a process and waits for its end.
 * @throws Error with the process's last words if it does not exit with 0
 */
export async function runFacilitator(
  args: readonly string[],
  keys: Readonly<Record<string, string>>,
  settings: ProcessSettings,
): Promise<void> {
  settings.signal.throwIfAborted();
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...settings.env, ...keys },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: settings.signal,
    killSignal: 'SIGTERM',
  });
  const log = createWriteStream(settings.logFile, { flags: 'a' });
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS);
    });
  }
  // `close` comes also after `error`, which an abort causes, and only then is the process surely gone.
  const status = await new Promise<string>((resolve) => {
    child.on('error', (err) => (tail += err.message));
    child.on('close', (code, signal) => resolve(signal ?? String(code)));
  });
  log.end();
  settings.signal.throwIfAborted();
  if (status !== '0') throw new Error(`facilitator ${args[0]} ended with ${status}: ${tail.trim()}`);
}
