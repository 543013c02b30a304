import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandLine, intakeOptions, sampleOptions, type CommandOptions } from '../../support/command-options.ts';
import { runFacilitator } from '../../support/run-facilitator.ts';
import { cannotRun } from '../../support/skip.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import {
  endAll,
  publish,
  startFacilitator,
  workerOptions,
  type FacilitatorProcess,
  type StartOptions,
} from './worker-process.ts';

const SIGNAL_AT = fileURLToPath(new URL('../../support/signal-at-decryption.mjs', import.meta.url));
/** Enough for several chunks. */
const PACKETS = 2000;

const root = temporaryDirectory();
afterEach(endAll);

/** A worker with a batch that takes it a while; its task is in the queue. */
let options: CommandOptions;
beforeEach(async () => {
  const sample: CommandOptions = { ...sampleOptions(root()), 'packet-count': String(PACKETS), dimension: '1' };
  expect(await runFacilitator(commandLine('generate-ingestion-sample', sample))).toMatchObject({ status: 0 });
  // Each thread counts for itself what it decrypts, and sends the signals.
  const ours = { threads: '1', 'ingestor-input': `${root()}/facilitator` };
  options = { ...workerOptions('intake-batch-worker', root()), ...ours };
  const task = { 'trace-id': sample['batch-id'], 'batch-id': sample['batch-id'], date: sample['date'] };
  await publish(root(), [JSON.stringify({ ...task, 'aggregation-id': sample['aggregation-id'] })]);
});

/** Signals that come while the worker opens packets. */
const signalled = (signals: string, packets: string): StartOptions => ({
  node: ['--import', SIGNAL_AT],
  env: { SIGNAL: signals, SIGNAL_AT: packets },
});

function expectGivenBack(worker: FacilitatorProcess, error: string): void {
  expect(worker.lines.slice(-2)).toMatchObject([
    { message: 'task finished', outcome: 'nack', error_code: 'E_STOPPED', error: expect.stringContaining(error) },
    { message: 'worker stopped' },
  ]);
  expect(filesIn(`${root()}/tasks`)).toEqual([expect.stringMatching(/^ready\/.*~1$/)]);
  for (const output of ['peer', 'own']) expect(filesIn(`${root()}/${output}`)).toEqual([]);
}

describe('a worker with a task in hand', () => {
  it('finishes it within the grace', async () => {
    const worker = startFacilitator('intake-batch-worker', options, signalled('SIGTERM', '10'));
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-2)).toMatchObject({ outcome: 'ack', packets: PACKETS });
    expect(filesIn(`${root()}/tasks`)).toEqual([]);
  });

  it('gives it back after the grace, and ends with 0', async () => {
    const impatient = { ...options, 'shutdown-grace': '0' };
    const worker = startFacilitator('intake-batch-worker', impatient, signalled('SIGINT', '10'));
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expectGivenBack(worker, 'not done within --shutdown-grace, 0 s: stopped by SIGINT');
  });

  it.each(['SIGTERM,SIGTERM', 'SIGTERM,SIGINT'])(
    'gives it back at once at a second signal, and ends with 0: %s',
    async (signals) => {
      const worker = startFacilitator('intake-batch-worker', options, signalled(signals, '10,20'));
      expect(await worker.ended).toEqual({ status: 0, signal: null });
      expectGivenBack(worker, `stopped at once by another ${signals.split(',')[1]}`);
      expect(worker.lines.at(-1)).toMatchObject({ reason: `stopped by ${signals.split(',')[0]}` });

      // Whoever has the task next does it.
      const next = startFacilitator('intake-batch-worker', { ...options, 'max-tasks-per-worker': '1' });
      expect(await next.ended).toEqual({ status: 0, signal: null });
      expect(next.lines.at(-2)).toMatchObject({ outcome: 'ack', attempt: 2, packets: PACKETS });
    },
  );

  it('dies of the third signal', async () => {
    const worker = startFacilitator('intake-batch-worker', options, signalled('SIGTERM,SIGTERM,SIGTERM', '10,20,30'));
    expect(await worker.ended).toEqual({ status: null, signal: 'SIGTERM' });
  });

  it('gives it back after --task-timeout, and lives on', async () => {
    const hurried = { ...options, 'task-timeout': '1s', 'max-tasks-per-worker': '1' };
    const worker = startFacilitator('intake-batch-worker', hurried, {
      node: ['--import', fileURLToPath(new URL('../../support/slow-decryption.mjs', import.meta.url))],
    });
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-2)).toMatchObject({ outcome: 'nack', error_code: 'E_TASK_TIMEOUT' });
    expect(filesIn(`${root()}/tasks`)).toEqual([expect.stringMatching(/^ready\/.*~1$/)]);
  });
});

const AS_PID_1 = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const canUnshare = spawnSync(AS_PID_1[0]!, [...AS_PID_1.slice(1), 'true']).status === 0;

describe.skipIf(
  cannotRun(canUnshare, 'workers as the first process of a container, as we may not make process namespaces here'),
)('as the first process of a container, which no signal ends that it does not handle,', () => {
  /** By its id as we see it. */
  function innerPid({ pid }: FacilitatorProcess): number {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }
  const asPid1 = (start: StartOptions = {}): StartOptions => ({ ...start, starter: AS_PID_1 });

  it.each(['SIGTERM', 'SIGINT'] as const)('a worker that waits ends with 0 at %s', async (signal) => {
    const idle = { ...options, 'task-queue-name': `${root()}/other` };
    const worker = startFacilitator('intake-batch-worker', idle, asPid1());
    await worker.logged({ message: 'worker started' });
    process.kill(innerPid(worker), signal);
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-1)).toMatchObject({ reason: `stopped by ${signal}` });
  });

  it('a worker with a task in hand finishes it', async () => {
    const worker = startFacilitator('intake-batch-worker', options, asPid1(signalled('SIGTERM', '10')));
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.lines.at(-2)).toMatchObject({ outcome: 'ack', packets: PACKETS });
  });

  it('a worker with a task in hand gives it back at the second signal', async () => {
    const worker = startFacilitator('intake-batch-worker', options, asPid1(signalled('SIGTERM,SIGTERM', '10,20')));
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expectGivenBack(worker, 'stopped at once');
  });

  it('a command without a queue ends with 128 and the number of the second signal', async () => {
    const { 'batch-id': id, date } = sampleOptions('');
    const intake = { ...intakeOptions(root()), 'aggregation-id': 'sample', 'batch-id': id!, date: date! };
    const ended = await startFacilitator(
      'intake-batch',
      { ...intake, 'ingestor-input': `${root()}/facilitator` },
      asPid1(signalled('SIGTERM,SIGTERM', '10,20')),
    ).ended;
    expect(ended).toEqual({ status: 143, signal: null });
  });
});
