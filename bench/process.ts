import { spawn } from 'node:child_process';

/** What to run. Key material goes through `env`, never through arguments. */
export interface Invocation {
  readonly executable: string;
  readonly args: readonly string[];
  /** Besides PATH, HOME and the like of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** What running takes of the bench's own process. */
export interface Bench {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: () => number;
  /** Ends what is running. */
  readonly signal: AbortSignal;
  /** Tells the user, a line at a time. */
  readonly tell: (line: string) => void;
}

export interface Ended {
  /** From its start until it was gone. */
  readonly wallMs: number;
  /** From its start to the end of the first line on its standard error, which is the log of our programs. */
  readonly firstLogLineMs: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to file descriptor 3. */
  readonly third: string;
}

/** How much of a failed process's last words an error repeats. */
const TAIL_CHARACTERS = 2000;

/** Runs a process to its end. @throws Error if it does not exit with 0 */
export async function runToSuccess(invocation: Invocation, { env, nowMs, signal }: Bench): Promise<Ended> {
  const startedMs = nowMs();
  const child = spawn(invocation.executable, invocation.args, {
    env: { ...env, ...invocation.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    signal,
    ...(invocation.directory === undefined ? {} : { cwd: invocation.directory }),
  });
  const texts = ['', '', '', ''];
  let firstLogLineMs: number | undefined;
  for (const fd of [1, 2, 3]) {
    child.stdio[fd]?.on('data', (chunk: Buffer) => {
      texts[fd] += chunk.toString();
      if (fd === 2 && firstLogLineMs === undefined && chunk.includes('\n')) firstLogLineMs = nowMs() - startedMs;
    });
  }
  const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, killedBy) => resolve(killedBy ?? code));
  });
  const wallMs = nowMs() - startedMs;
  const [, stdout = '', stderr = '', third = ''] = texts;
  if (status !== 0) {
    const shown = [invocation.executable, ...invocation.args].join(' ').slice(0, 400);
    throw new Error(`${shown} ended with ${status}: ${`${stdout}${stderr}`.slice(-TAIL_CHARACTERS)}`);
  }
  return { wallMs, firstLogLineMs, stdout, stderr, third };
}
