import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { runProgram } from '../../common/runtime/program.ts';
import { facilitatorProgram } from '../../facilitator/program.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a facilitator command line in this process, with nothing of its environment. */
export async function runFacilitator(argv: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const stdout = collector();
  const stderr = collector();
  const status = await runProgram(facilitatorProgram('0.0.0'), {
    argv,
    env,
    stdout: stdout.stream,
    stderr: stderr.stream,
    stderrIsTty: false,
    clock: () => new Date('2026-11-20T10:00:00Z'),
    randomBytes,
    readFile: (path) => readFile(path, 'utf8'),
    signal: new AbortController().signal,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

function collector(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
