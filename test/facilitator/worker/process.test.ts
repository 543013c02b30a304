import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { FACILITATOR, isOpenToAll, run } from '../../support/child-process.ts';
import { commandLine, intakeOptions, ORDINARY, without, type CommandOptions } from '../../support/command-options.ts';
import { linesAfterStart, logLines } from '../../support/log-lines.ts';
import { runFacilitator } from '../../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { endAll, goodTask, publish, startFacilitator, workerOptions, type WorkerCommand } from './worker-process.ts';
import { cannotRun } from '../../support/skip.ts';

const SIGNAL_AT = fileURLToPath(new URL('../../support/signal-at-decryption.mjs', import.meta.url));
const COMMANDS: readonly WorkerCommand[] = ['intake-batch-worker', 'aggregate-worker'];

const root = temporaryDirectory();
afterEach(endAll);

const signatures = (output: string): string[] => filesIn(`${root()}/${output}`).filter((name) => name.endsWith('.sig'));
const outputOf = (command: WorkerCommand): string => (command === 'aggregate-worker' ? 'portal' : 'own');

describe.each(COMMANDS)('%s', (command) => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 at %s while it waits', async (signal) => {
    const worker = startFacilitator(command, workerOptions(command, root()));
    await worker.logged({ message: 'worker started' });
    worker.kill(signal);
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-1)).toMatchObject({ message: 'worker stopped', reason: `stopped by ${signal}` });
  });

  it('finishes the task in hand at SIGTERM, and leaves the next where it is', async () => {
    const task = JSON.stringify(goodTask(command));
    await publish(root(), [task, task]);
    const worker = startFacilitator(command, workerOptions(command, root()), {
      node: ['--import', SIGNAL_AT],
      env: { SIGNAL: 'SIGTERM', SIGNAL_AT: '3' },
    });
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.filter(({ message }) => message === 'task finished')).toMatchObject([{ outcome: 'ack' }]);
    expect(worker.lines.at(-1)).toMatchObject({ message: 'worker stopped', reason: 'stopped by SIGTERM' });
    expect(signatures(outputOf(command))).toHaveLength(1);
    expect(filesIn(`${root()}/tasks`)).toEqual([expect.stringMatching(/^ready\/.*~0$/)]);
  });

  it('ends with 0 once it is as old as it may become, which the reference’s variables may say', async () => {
    const options: CommandOptions = { ...workerOptions(command, root()), 'worker-maximum-lifetime': '1' };
    const names = ['task-queue-kind', 'task-queue-name', 'rejected-topic', 'worker-maximum-lifetime'] as const;
    const env = Object.fromEntries(
      names.map((name) => [name.toUpperCase().replaceAll('-', '_'), String(options[name])]),
    );
    const worker = startFacilitator(command, without(options, ...names), { env });
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-1)).toMatchObject({ reason: 'the maximum lifetime is reached' });
  });

  it('ends with 0 when the process that it has a channel to is gone', async () => {
    const worker = startFacilitator(command, workerOptions(command, root()), { channel: true });
    await worker.logged({ message: 'worker started' });
    worker.disconnect();
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-1)).toMatchObject({ reason: 'stopped by the end of the parent process' });
  });

  it('starts before its inputs exist, and warns of each', async () => {
    const options = workerOptions(command, root());
    const inputs = Object.keys(options).filter((name) => name.endsWith('-input'));
    const missing = Object.fromEntries(inputs.map((name) => [name, `${root()}/${name}`]));
    const worker = startFacilitator(command, { ...options, ...missing });
    const warnings = await worker.logged({ message: 'input cannot be read so far' }, inputs.length);
    expect(warnings).toMatchObject(inputs.map(() => ({ severity: 'WARNING', error_code: 'E_CONFIGURATION' })));
    await worker.logged({ message: 'worker started' });
    await publish(root(), [JSON.stringify(goodTask(command))]);
    const nacks = await worker.logged({ message: 'task finished', outcome: 'nack' }, 5);
    expect(nacks).toMatchObject(nacks.map(() => ({ error_code: 'E_OBJECT_MISSING' })));
    expect(filesIn(`${root()}/tasks`)).toEqual([expect.stringMatching(/^dead-letters\//)]);
  });

  it.each([
    ['without a queue', without(workerOptions(command, ''), 'task-queue-name'), 'missing --task-queue-name'],
    ['with a queue of unknown kind', { ...workerOptions(command, ''), 'task-queue-kind': 'fax' }, '"fax" is none of'],
    ['with a lease too long', { ...workerOptions(command, ''), 'visibility-timeout': '13h' }, 'longer than 12h'],
    ['with a lease too short', { ...workerOptions(command, ''), 'visibility-timeout': '10ms' }, 'is less than 1s'],
    ['for no time', { ...workerOptions(command, ''), 'worker-maximum-lifetime': '0' }, 'is no integer from 1'],
    ['for longer than timers run', { ...workerOptions(command, ''), 'worker-maximum-lifetime': '2147484' }, 'integer'],
    ['with a task', { ...workerOptions(command, ''), 'batch-id': intakeOptions('')['batch-id']! }, '--batch-id'],
  ])('does not start %s', async (_, options, told) => {
    const { status, stderr } = await runFacilitator(commandLine(command, options));
    expect(status).toBe(64);
    expect(stderr).toContain(told);
  });

  it.each(['task-queue-name', 'rejected-topic'])('ends with 78 if --%s cannot be a queue', async (name) => {
    writeFileSync(`${root()}/file`, '');
    const options = { ...workerOptions(command, root()), [name]: `${root()}/file` };
    const { status, stderr } = await runFacilitator(commandLine(command, options));
    expect(status).toBe(78);
    expect(logLines(stderr)).toMatchObject([
      { message: 'worker starting', task_queue_kind: 'local', task_queue_name: options['task-queue-name'] },
      { error_code: 'E_CONFIGURATION' },
    ]);
  });

  it.skipIf(cannotRun(isOpenToAll(FACILITATOR), 'a worker refused access, as other users cannot read this checkout'))(
    'ends with 77 if its queue is closed to us',
    async () => {
      chmodSync(root(), 0o755);
      for (const place of ['tasks', 'rejected', 'own', 'peer', 'portal']) {
        mkdirSync(`${root()}/${place}`);
        chmodSync(`${root()}/${place}`, place === 'tasks' ? 0o755 : 0o777);
      }
      mkdirSync(`${root()}/in`);
      const options = workerOptions(command, root());
      const inputs = Object.keys(options).filter((name) => name.endsWith('-input'));
      const readable = Object.fromEntries(inputs.map((name) => [name, `${root()}/in`]));
      const ran = await run(FACILITATOR, commandLine(command, { ...options, ...readable }), { asOrdinaryUser: true });
      expect(ran.status).toBe(77);
      expect(linesAfterStart(ran.stderr)).toMatchObject([{ error_code: 'E_PERMISSION_DENIED' }]);
    },
  );
});

it('two workers share a queue, and every task is done once', async () => {
  const command = 'intake-batch-worker';
  const tasks = ORDINARY.batches.map(({ id, time }) =>
    JSON.stringify({ ...goodTask(command), 'batch-id': id, date: time }),
  );
  const workers = [1, 2].map(() => startFacilitator(command, workerOptions(command, root())));
  await Promise.all(workers.map((worker) => worker.logged({ message: 'worker started' })));
  const first = Promise.any(workers.map((worker) => worker.logged({ outcome: 'ack' })));
  await publish(root(), tasks);
  await first;
  // Whoever is at a task finishes it; whatever is left is done by the next worker.
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(workers.map(({ ended }) => ended));
  const done = workers.flatMap(({ lines }) => lines).filter(({ outcome }) => outcome === 'ack').length;
  if (done < tasks.length) {
    const third = startFacilitator(command, workerOptions(command, root()));
    await third.logged({ outcome: 'ack' }, tasks.length - done);
  }
  expect(filesIn(`${root()}/tasks`)).toEqual([]);
  expect(signatures('own')).toHaveLength(tasks.length);
});

it('a command that has a channel ends when its work is done', async () => {
  const intake = startFacilitator('intake-batch', intakeOptions(root()), { channel: true });
  expect(await intake.ended).toEqual({ status: 0, signal: null });
});
