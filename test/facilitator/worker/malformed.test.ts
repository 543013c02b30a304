import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeAggregateMessage, decodeIntakeTask } from '../../../common/domain/task.ts';
import { TaskMalformed } from '../../../common/errors.ts';
import { without, type CommandOptions } from '../../support/command-options.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { MALFORMATIONS, malformedMessages } from './malformed.ts';
import {
  MAX_DELIVERIES,
  TASK_QUEUE_SERVICES,
  type End,
  type RunningTaskQueueService,
  type WorkerQueue,
} from './task-queues.ts';
import {
  endAll,
  goodTask,
  goodTasks,
  startFacilitator,
  workerOptions,
  type FacilitatorProcess,
  type WorkerCommand,
} from './worker-process.ts';

const WORKERS = [
  ['intake-batch-worker', decodeIntakeTask],
  ['aggregate-worker', decodeAggregateMessage],
] as const;
const COMMANDS = WORKERS.map(([command]) => command);
const OF_EACH_KIND = 10;
/** Stand-ins are slow when the machine is busy. */
const TIME_LIMIT_MS = 60_000;

const root = temporaryDirectory();
// Before the directory is removed: what is registered last runs first.
afterEach(endAll);

describe.each(WORKERS)('for %s', (command, decode) => {
  const task = goodTask(command);

  it('the good tasks are good', () => {
    for (const good of goodTasks(command)) expect(() => decode(Buffer.from(JSON.stringify(good)))).not.toThrow();
  });

  it.each(MALFORMATIONS)('a message that is %s is no task', (_, body) => {
    for (let i = 0; i < OF_EACH_KIND; i++) {
      expect(() => decode(Buffer.from(body(task, i))), `variant ${i}`).toThrow(TaskMalformed);
    }
  });
});

describe.each(TASK_QUEUE_SERVICES)('with a queue of kind $name', ({ name, ends, isMissing, start, endOf }) => {
  // Queues know nothing of kinds of tasks: with slow ones, one kind is enough.
  const commands = name === 'local' ? COMMANDS : COMMANDS.slice(0, 1);

  describe.skipIf(isMissing('malformed messages'))('a worker', () => {
    let service: RunningTaskQueueService;
    let queue: WorkerQueue;
    beforeAll(async () => {
      service = await start();
    }, TIME_LIMIT_MS);
    afterAll(() => service[Symbol.asyncDispose]());
    beforeEach(async () => {
      queue = await service.open(root());
    }, TIME_LIMIT_MS);

    const optionsOf = (command: WorkerCommand): CommandOptions => ({
      ...workerOptions(command, root()),
      ...queue.options,
      'pool-size': '4',
    });
    const startWorker = (command: WorkerCommand, options: CommandOptions): FacilitatorProcess =>
      startFacilitator(command, options, { env: queue.env });

    it.each(commands)(
      'does the good tasks among 200 malformed messages, each of which is kept as it was, once: %s',
      { timeout: TIME_LIMIT_MS },
      async (command) => {
        // Once here; a crash between parking and acknowledging would make it twice.
        const malformed = malformedMessages(goodTask(command), OF_EACH_KIND).map((body) => Buffer.from(body));
        expect(countsOf(malformed.map(endOf))).toEqual(ends);
        const ending = (place: string): Buffer[] => malformed.filter((body) => endOf(body).startsWith(place));
        const [parked, buried] = [ending('rejected topic'), ending('dead letters')];
        const good = goodTasks(command).map((task) => Buffer.from(JSON.stringify(task)));
        await queue.publish(amid([...buried, ...parked], good));

        const worker = startWorker(command, optionsOf(command));
        const refusals = parked.length + buried.length * MAX_DELIVERIES;
        await worker.logged({ message: 'task finished', error_code: 'E_TASK_MALFORMED' }, refusals);
        await worker.logged({ message: 'task finished', outcome: 'ack' }, good.length);
        worker.kill('SIGTERM');
        expect(await worker.ended).toEqual({ status: 0, signal: null });

        // Services may take a moment to pass the last ones on.
        await vi.waitFor(async () => {
          expect(await queue.deadLetters()).toHaveLength(buried.length);
          expect(await queue.rejected()).toHaveLength(parked.length);
        }, TIME_LIMIT_MS);
        expect((await queue.deadLetters()).map(shown)).toEqual(hexOf(buried).map(shown));
        expect((await queue.rejected()).map(shown)).toEqual(hexOf(parked).map(shown));
        expect(await queue.left()).toEqual([]);
        const outputs = command === 'aggregate-worker' ? ['portal'] : ['own', 'peer'];
        for (const output of outputs) {
          const signatures = filesIn(`${root()}/${output}`).filter((file) => file.endsWith('.sig'));
          expect(signatures).toHaveLength(good.length);
        }
        const finished = worker.lines.filter(({ message }) => message === 'task finished');
        expect(finished).toHaveLength(refusals + good.length);
        expect(finished.filter(({ outcome }) => outcome === 'lost' || outcome === 'unsettled')).toEqual([]);
        // No line shows a message of a megabyte.
        expect(Math.max(...worker.lines.map((line) => JSON.stringify(line).length))).toBeLessThan(10_000);
      },
    );

    it.each(commands)(
      'without a rejected topic gives a malformed message back, until it is a dead letter: %s',
      { timeout: TIME_LIMIT_MS },
      async (command) => {
        const body = Buffer.from('no task');
        await queue.publish([body]);
        const worker = startWorker(command, without(optionsOf(command), 'rejected-topic'));
        const lines = await worker.logged({ message: 'task finished', outcome: 'reject' }, MAX_DELIVERIES);
        expect(lines.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
        await vi.waitFor(async () => expect(await queue.deadLetters()).toEqual(hexOf([body])), TIME_LIMIT_MS);
        await queue.publish([Buffer.from(JSON.stringify(goodTask(command)))]);
        await worker.logged({ message: 'task finished', outcome: 'ack' });
        worker.kill('SIGTERM');
        expect(await worker.ended).toEqual({ status: 0, signal: null });
        expect(await queue.rejected()).toEqual([]);
      },
    );
  });
});

/** `few` evenly spread among `many`. */
function amid<T>(many: readonly T[], few: readonly T[]): T[] {
  const share = Math.ceil(many.length / few.length);
  return few.flatMap((one, i) => [...many.slice(i * share, (i + 1) * share), one]);
}

function countsOf(ends: readonly End[]): Partial<Record<End, number>> {
  const counts: Partial<Record<End, number>> = {};
  for (const end of ends) counts[end] = (counts[end] ?? 0) + 1;
  return counts;
}

function hexOf(bodies: readonly Buffer[]): string[] {
  return bodies.map((body) => body.toString('hex')).toSorted();
}

/** For comparisons whose failures can be read. */
function shown(hex: string): string {
  return hex.length <= 1000 ? hex : `${hex.length / 2} bytes, ${createHash('sha256').update(hex).digest('hex')}`;
}
