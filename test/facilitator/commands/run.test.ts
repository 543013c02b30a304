import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { logLines } from '../../support/log-lines.ts';
import {
  aggregateOptions,
  commandLine,
  intakeOptions,
  without,
  type CommandOptions,
} from '../../support/command-options.ts';
import { runFacilitator, type Ran } from '../../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { goodTask, type WorkerCommand } from '../worker/worker-process.ts';

const root = temporaryDirectory();
const TASK_OPTIONS = ['aggregation-id', 'batch-id', 'date', 'batch-time', 'aggregation-start', 'aggregation-end'];

let intake: CommandOptions;
let aggregation: CommandOptions;
beforeEach(() => {
  intake = { ...without(intakeOptions(root()), ...TASK_OPTIONS), 'worker-name': 'desk' };
  aggregation = { ...without(aggregateOptions(root()), ...TASK_OPTIONS), 'worker-name': 'desk' };
});

/** Runs a task from a file. */
function runTask(task: unknown, options: CommandOptions): Promise<Ran> {
  const file = `${root()}/task.json`;
  writeFileSync(file, typeof task === 'string' ? task : JSON.stringify(task));
  return runFacilitator([...commandLine('run', options), file]);
}

const signaturesIn = (output: string): number =>
  filesIn(`${root()}/${output}`).filter((name) => name.endsWith('.sig')).length;

describe('run', () => {
  const of = (command: WorkerCommand, outputs: readonly string[]): [WorkerCommand, readonly string[]] => [
    command,
    outputs,
  ];

  it.each([of('intake-batch-worker', ['peer', 'own']), of('aggregate-worker', ['portal'])])(
    'does the task of %s and prints its result',
    async (command, outputs) => {
      const options = command === 'aggregate-worker' ? aggregation : intake;
      const ran = await runTask(goodTask(command), options);
      expect(ran.status).toBe(0);
      expect(JSON.parse(ran.stdout)).toMatchObject({
        task_kind: command === 'aggregate-worker' ? 'aggregate' : 'intake',
        task_id: 'task.json',
        trace_id: goodTask(command)['trace-id'],
        aggregation_id: goodTask(command)['aggregation-id'],
        outcome: 'ack',
        packets: expect.any(Number),
        worker: 'desk',
        duration_ms: 0,
      });
      for (const output of outputs) expect(signaturesIn(output)).toBe(1);
    },
  );

  it('keeps the result where results are kept, too', async () => {
    const ran = await runTask(goodTask('intake-batch-worker'), { ...intake, results: `${root()}/results` });
    expect(ran.status).toBe(0);
    expect(filesIn(`${root()}/results`)).toEqual(['results/intake/2026-11-20/task_json-20261120100000000.json']);
  });

  it('fails with 1 if the task fails, and prints why', async () => {
    const task = { ...goodTask('intake-batch-worker'), 'batch-id': '00000000-0000-4000-8000-000000000000' };
    const ran = await runTask(task, intake);
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'nack',
      error_code: 'E_OBJECT_MISSING',
      failure: [{ name: 'ObjectMissing', stack: expect.any(String) }],
    });
    expect(logLines(ran.stderr).at(-1)).toMatchObject({ error_code: 'E_OBJECT_MISSING', message: 'run failed' });
  });

  it('fails with 1 if a field is malformed', async () => {
    const ran = await runTask({ ...goodTask('intake-batch-worker'), date: 'today' }, intake);
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'reject', error_code: 'E_TASK_MALFORMED' });
  });

  it.each([
    ['is no JSON', 'no task', 'task.json is no task: the message is no JSON'],
    ['is of no kind', { 'aggregation-id': 'kittens' }, 'task.json is no task of a known kind'],
    ['is of two kinds', { 'batch-id': '', batches: [] }, 'task.json is no task of a known kind'],
  ])('refuses a file that %s', async (_, task, told) => {
    const ran = await runTask(task, intake);
    expect(ran).toMatchObject({ status: 64, stdout: '' });
    expect(ran.stderr).toContain(told);
  });

  it('refuses a file that is not there, and more than one', async () => {
    const missing = await runFacilitator([...commandLine('run', intake), `${root()}/none.json`]);
    expect(missing).toMatchObject({ status: 64, stderr: expect.stringContaining('none.json cannot be read') });
    const two = await runFacilitator([...commandLine('run', intake), 'a.json', 'b.json']);
    expect(two).toMatchObject({ status: 64, stderr: expect.stringContaining('run takes one file, not 2') });
  });

  it('needs the options of the kind that the file holds, and those alone', async () => {
    const task = goodTask('aggregate-worker');
    const ran = await runTask(task, without(aggregation, 'instance-name', 'portal-output'));
    expect(ran.status).toBe(64);
    expect(ran.stderr).toContain('--instance-name');
    expect(await runTask(task, intake)).toMatchObject({ status: 64 });
  });
});
