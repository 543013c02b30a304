#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { Stopped } from '../common/errors.ts';
import { EXIT_STATUS } from '../common/runtime/exit-status.ts';
import { runProgram } from '../common/runtime/program.ts';
import { facilitatorProgram } from './program.ts';

/** For a command that deals with the second signal itself. */
const END_AT_ONCE_MS = 10_000;
/** For what keeps the process alive when its work is done, e.g. a request that nobody waits for any more. */
const LINGER_MS = 5000;

const stop = new AbortController();
const stopNow = new AbortController();
let isSecondSignalHandled = false;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (!stop.signal.aborted) return stop.abort(new Stopped(`stopped by ${name}`));
    if (isSecondSignalHandled && !stopNow.signal.aborted) {
      setTimeout(() => process.exit(EXIT_STATUS.failed), END_AT_ONCE_MS).unref();
      return stopNow.abort(new Stopped(`stopped at once by another ${name}`));
    }
    // The first process of a container is spared by signals that it does not handle.
    if (process.pid === 1) process.exit(128 + constants.signals[name]);
    process.removeAllListeners(name);
    process.kill(process.pid, name);
  });
}
// Whoever started us with a channel wants us to end when they do, also when they are killed and can send no signal.
const stopWithParent = (): void => stop.abort(new Stopped('stopped by the end of the parent process'));
if (process.connected) {
  process.once('disconnect', stopWithParent);
  // To listen keeps the process alive, which must end when its work does.
  process.channel?.unref();
} else if ('connected' in process) {
  // There was a channel, and the parent died before we came this far; without any, there is no such property.
  stopWithParent();
}

// Two levels up from dist/facilitator.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Node would print warnings as text among the lines of the log.
process.removeAllListeners('warning');

process.exitCode = await runProgram(facilitatorProgram(version), {
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stderrIsTty: process.stderr.isTTY ?? false,
  clock: () => new Date(),
  stopwatch: () => performance.now(),
  randomBytes,
  readFile: (path) => readFile(path, 'utf8'),
  signal: stop.signal,
  stopNow: () => {
    isSecondSignalHandled = true;
    return stopNow.signal;
  },
  onWarning: (listener) => void process.on('warning', listener),
});
if (stop.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref();
