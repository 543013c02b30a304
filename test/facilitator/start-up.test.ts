import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FACILITATOR } from '../support/child-process.ts';
import { commandLine, intakeOptions } from '../support/command-options.ts';
import { librariesIn, modulesOf } from '../support/loaded-modules.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';
import { workerOptions } from './worker/worker-process.ts';

/* What is loaded before there is work, in modules rather than milliseconds: each takes about 0.5 ms of CPU. */

const root = temporaryDirectory();

const CLOUDS = ['@google-cloud', 'google-auth-library', '@aws-sdk', '@smithy', '@grpc'];
const WORK = ['avsc', 'hysnappy', 'piscina', 'prom-client'];

describe.each([
  ['--version', ['--version'], 0, 115, ['pino', 'yargs']],
  ['--help', ['--help'], 0, 160, ['pino']],
  ['help of a command', ['intake-batch', '--help'], 0, 160, ['pino']],
  ['help where no command is named', [], 64, 160, ['pino']],
  ['a mistake in the command line', ['intake-batch', '--colour'], 64, 115, ['pino', 'yargs']],
])('%s', (_, args, status, most, others) => {
  it('loads options, and nothing that works with them', async () => {
    const { ended, modules } = await modulesOf(FACILITATOR, args, join(root(), 'coverage'));
    expect(ended).toMatchObject({ status });
    expect(librariesIn(modules, [...CLOUDS, ...WORK, ...others])).toEqual([]);
    expect(modules.filter((path) => /\/facilitator\/(?:codec|packets|prio|batch|join|worker)\//.test(path))).toEqual(
      [],
    );
    expect(modules.length).toBeLessThan(most);
  });
});

it('intake on directories loads no cloud, and no queue', async () => {
  const { ended, modules } = await modulesOf(
    FACILITATOR,
    commandLine('intake-batch', intakeOptions(root())),
    join(root(), 'coverage'),
  );
  expect(ended, ended.stderr).toMatchObject({ status: 0 });
  expect(librariesIn(modules, [...CLOUDS, 'yargs', 'prom-client'])).toEqual([]);
  expect(modules.filter((path) => /\/facilitator\/worker\/|\/queue\/(?!open)/.test(path))).toEqual([]);
});

it('a worker without tasks loads no cloud, and nothing that reads batches', async () => {
  const options = { ...workerOptions('intake-batch-worker', root()), 'worker-maximum-lifetime': '1' };
  const args = commandLine('intake-batch-worker', options);
  const { ended, modules } = await modulesOf(FACILITATOR, args, join(root(), 'coverage'));
  expect(ended, ended.stderr).toMatchObject({ status: 0 });
  expect(librariesIn(modules, [...CLOUDS, 'yargs', 'avsc', 'hysnappy'])).toEqual([]);
});
