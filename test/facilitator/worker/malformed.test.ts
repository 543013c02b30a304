import { afterEach, describe, expect, it } from 'vitest';
import { decodeAggregateMessage, decodeIntakeTask } from '../../../common/domain/task.ts';
import { TaskMalformed } from '../../../common/errors.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { without } from '../../support/command-options.ts';
import { MALFORMATIONS, malformedMessages } from './malformed.ts';
import { bodiesIn, endAll, goodTask, publish, startFacilitator, workerOptions } from './worker-process.ts';

const WORKERS = [
  ['intake-batch-worker', decodeIntakeTask],
  ['aggregate-worker', decodeAggregateMessage],
] as const;
const OF_EACH_KIND = 10;

const root = temporaryDirectory();
// Before the directory is removed: what is registered last runs first.
afterEach(endAll);

const hex = (body: string | Uint8Array): string => Buffer.from(body).toString('hex');

describe.each(WORKERS)('for %s', (command, decode) => {
  const task = goodTask(command);

  it('the good task is good', () => {
    expect(() => decode(Buffer.from(JSON.stringify(task)))).not.toThrow();
  });

  it.each(MALFORMATIONS)('a message that is %s is no task', (_, body) => {
    for (let i = 0; i < OF_EACH_KIND; i++) {
      expect(() => decode(Buffer.from(body(task, i))), `variant ${i}`).toThrow(TaskMalformed);
    }
  });

  it('200 malformed messages end in the rejected topic as they were, and the good one behind them is done', async () => {
    const malformed = malformedMessages(task, OF_EACH_KIND);
    expect(malformed).toHaveLength(200);
    await publish(root(), malformed);
    await publish(root(), [JSON.stringify(task)]);
    const worker = startFacilitator(command, workerOptions(command, root()));
    const rejected = worker.logged({ message: 'task finished', outcome: 'reject' }, 200);
    await worker.logged({ message: 'task finished', outcome: 'ack' });
    for (const line of await rejected) expect(line).toMatchObject({ error_code: 'E_TASK_MALFORMED', attempt: 1 });
    expect(bodiesIn(`${root()}/rejected/ready`)).toEqual(malformed.map(hex).sort());
    expect(filesIn(`${root()}/tasks`)).toEqual([]);
    const outputs = command === 'aggregate-worker' ? ['portal'] : ['own', 'peer'];
    for (const output of outputs)
      expect(filesIn(`${root()}/${output}`).filter((name) => name.endsWith('.sig'))).toHaveLength(1);
    // No line shows a message of a megabyte.
    expect(Math.max(...worker.lines.map((line) => JSON.stringify(line).length))).toBeLessThan(10_000);
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ status: 0, signal: null });
  });

  it('without a rejected topic a malformed message becomes a dead letter after five deliveries', async () => {
    await publish(root(), ['no task']);
    const worker = startFacilitator(command, without(workerOptions(command, root()), 'rejected-topic'));
    const lines = await worker.logged({ message: 'task finished', outcome: 'reject' }, 5);
    expect(lines.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(bodiesIn(`${root()}/tasks/dead-letters`)).toEqual([hex('no task')]);
    await publish(root(), [JSON.stringify(task)]);
    await worker.logged({ message: 'task finished', outcome: 'ack' });
    worker.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ status: 0 });
  });
});
