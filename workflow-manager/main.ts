#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { Stopped } from '../common/errors.ts';
import { runProgram } from '../common/runtime/program.ts';
import { publishCommand } from './command.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (!stop.signal.aborted) return stop.abort(new Stopped(`stopped by ${name}`));
    // A second one ends the process at once. The first process of a container is spared by signals that it does not handle.
    if (process.pid === 1) process.exit(128 + constants.signals[name]);
    process.removeAllListeners(name);
    process.kill(process.pid, name);
  });
}

// Two levels up from dist/workflow-manager.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Node would print warnings as text among the lines of the log.
process.removeAllListeners('warning');

process.exitCode = await runProgram(
  { name: 'workflow-manager', version, envPrefix: 'WORKFLOW_MANAGER', only: publishCommand },
  {
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
    onWarning: (listener) => void process.on('warning', listener),
  },
);
