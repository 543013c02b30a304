#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Stopped } from '../common/errors.ts';
import { runProgram } from '../common/runtime/program.ts';
import { facilitatorProgram } from './program.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // Once: a second signal ends the process at once.
  process.once(name, () => stop.abort(new Stopped(`stopped by ${name}`)));
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
  randomBytes,
  signal: stop.signal,
  onWarning: (listener) => void process.on('warning', listener),
});
