import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeaseLost, PermissionDenied, QueueUnavailable, Stopped, TaskMalformed } from '../../../common/errors.ts';
import { SignatureInvalid } from '../../../facilitator/errors.ts';
import type { ResultSink } from '../../../facilitator/worker/result-storage.ts';
import type { TaskContext } from '../../../facilitator/worker/task-kind.ts';
import type { TaskResult } from '../../../facilitator/worker/task-result.ts';
import { DeliveryDouble, promiseOf } from './queue-double.ts';
import { DEADLINE_MS, hangUntilAborted, Settling, throwing, type NamedTask } from './settling.ts';

let desk: Settling;
beforeEach(() => {
  vi.useFakeTimers();
  desk = new Settling();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('the time limit of a task', () => {
  const taskTimeoutMs = 7000;

  it('ends the task, which is then given back', async () => {
    const delivery = new DeliveryDouble('kittens');
    const settled = desk.settle(delivery, hangUntilAborted, { taskTimeoutMs });
    await vi.advanceTimersByTimeAsync(taskTimeoutMs - 1);
    expect(delivery.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(delivery.calls).toEqual(['nack']);
    expect(desk.outcomes).toMatchObject([{ outcome: 'nack', error_code: 'E_TASK_TIMEOUT' }]);
  });

  it('rules over whatever the task makes of it', async () => {
    const delivery = new DeliveryDouble('kittens');
    const work = async (_: NamedTask, { signal }: TaskContext): Promise<void> => {
      await hangUntilAborted(_, { signal }).catch(() => {});
      throw new SignatureInvalid('read to half only');
    };
    const settled = desk.settle(delivery, work, { taskTimeoutMs });
    await vi.advanceTimersByTimeAsync(taskTimeoutMs);
    await settled;
    expect(delivery.calls).toEqual(['nack']);
  });

  it('is too late for a task that returns all the same', async () => {
    const delivery = new DeliveryDouble('kittens');
    const work = promiseOf();
    const settled = desk.settle(delivery, () => work.promise, { taskTimeoutMs });
    await vi.advanceTimersByTimeAsync(taskTimeoutMs);
    work.resolve();
    await settled;
    expect(delivery.calls).toEqual(['ack']);
  });

  it('leaves a task behind that does not react for 30 s, which holds its lease until then', async () => {
    const delivery = new DeliveryDouble('kittens');
    const work = promiseOf();
    const settled = desk.settle(delivery, () => work.promise, { taskTimeoutMs, ackDeadlineMs: 30_000 });
    await vi.advanceTimersByTimeAsync(taskTimeoutMs + 30_000 - 1);
    expect(delivery.calls).toEqual(['extend', 'extend', 'extend']);
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(delivery.calls.at(-1)).toBe('nack');
    expect(desk.lines).toContainEqual(
      expect.objectContaining({ severity: 'ERROR', message: expect.stringContaining('left behind') }),
    );
    // Its end is of no interest any more.
    work.reject(new Error('late'));
    await vi.advanceTimersByTimeAsync(1);
    expect(desk.outcomes).toHaveLength(1);
  });
});

describe('a worker that cannot wait any longer', () => {
  const stopped = new Stopped('stopped at once');

  it('gives its task back', async () => {
    const delivery = new DeliveryDouble('kittens');
    const stop = new AbortController();
    const settled = desk.settle(delivery, hangUntilAborted, {}, stop.signal);
    stop.abort(stopped);
    await settled;
    expect(delivery.calls).toEqual(['nack']);
    expect(desk.outcomes).toMatchObject([{ outcome: 'nack', error_code: 'E_STOPPED', error: 'stopped at once' }]);
  });

  it('does so within 3 s, whatever the task does, also if it was already waiting for it', async () => {
    const delivery = new DeliveryDouble('kittens');
    const stop = new AbortController();
    const settled = desk.settle(delivery, () => new Promise(() => {}), { taskTimeoutMs: 1000 }, stop.signal);
    await vi.advanceTimersByTimeAsync(2000);
    stop.abort(stopped);
    await vi.advanceTimersByTimeAsync(2999);
    expect(delivery.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(delivery.calls).toEqual(['nack']);
  });

  it('does not begin a task that it has just received', async () => {
    const delivery = new DeliveryDouble('kittens');
    await desk.settle(delivery, throwing(new Error('not called')), {}, AbortSignal.abort(stopped));
    expect(delivery.calls).toEqual(['nack']);
    expect(desk.outcomes).toMatchObject([{ error_code: 'E_STOPPED' }]);
  });
});

describe('the result of a task', () => {
  const written: TaskResult[] = [];
  const results: ResultSink = { url: 'memory://results', write: async (result) => void written.push(result) };
  beforeEach(() => void written.splice(0));

  it('is written before the task is settled', async () => {
    const delivery = new DeliveryDouble(
      'kittens',
      {
        ack: async () => {
          expect(written).toHaveLength(1);
        },
      },
      'message-7',
      2,
    );
    await desk.settle(delivery, async () => ({ packets: 3 }), { results });
    expect(delivery.calls).toEqual(['ack']);
    expect(written).toMatchObject([
      { kind: 'naming', taskId: 'message-7', attempt: 2, outcome: 'ack', findings: { packets: 3 }, worker: 'worker-1' },
    ]);
    expect(desk.outcomes).toMatchObject([{ task_kind: 'naming', packets: 3, worker: 'worker-1' }]);
  });

  it.each([
    ['nack', new QueueUnavailable('down')],
    ['reject', new TaskMalformed('no task')],
  ] as const)('is written of a %s, too', async (outcome, error) => {
    await desk.settle(new DeliveryDouble('kittens'), throwing(error), { results });
    expect(written).toMatchObject([{ outcome, failure: { code: error.code, chain: [{ name: error.name }] } }]);
  });

  it('is written of a lost task', async () => {
    const delivery = new DeliveryDouble('kittens', { extend: throwing(new LeaseLost('gone')) });
    const settled = desk.settle(delivery, hangUntilAborted, { results });
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    await settled;
    expect(written).toMatchObject([{ outcome: 'lost', failure: { code: 'E_LEASE_LOST' } }]);
  });

  it('is only in the log if the process ends', async () => {
    await desk.settle(
      new DeliveryDouble('kittens'),
      throwing('x'),
      { results },
      AbortSignal.abort(new Stopped('stopped')),
    );
    expect(written).toEqual([]);
    expect(desk.outcomes).toHaveLength(1);
  });

  const failing: ResultSink = { url: 'memory://results', write: throwing(new PermissionDenied('refused')) };

  it.each([
    ['was done', async () => {}, 'E_RESULT'],
    ['failed', throwing(new QueueUnavailable('down')), 'E_QUEUE_UNAVAILABLE'],
    ['would be rejected', throwing(new TaskMalformed('no task')), 'E_TASK_MALFORMED'],
  ])('that cannot be written gives the task back that %s', async (_, work, error_code) => {
    const delivery = new DeliveryDouble('kittens');
    await desk.settle(delivery, work, { results: failing });
    expect(delivery.calls).toEqual(['nack']);
    expect(desk.lines).toMatchObject([
      { severity: 'ERROR', error_code: 'E_PERMISSION_DENIED', results: 'memory://results' },
      { message: 'task finished', outcome: 'nack', error_code },
    ]);
  });

  it('is waited for a minute, and not at all when the process ends', async () => {
    const hanging: ResultSink = { url: 'memory://results', write: () => new Promise(() => {}) };
    const [slow, stopped] = [new DeliveryDouble('kittens'), new DeliveryDouble('kittens')];
    const stop = new AbortController();
    const settled = Promise.all([
      desk.settle(slow, async () => {}, { results: hanging }),
      desk.settle(stopped, async () => {}, { results: hanging }, stop.signal),
    ]);
    await vi.advanceTimersByTimeAsync(1000);
    stop.abort(new Stopped('stopped'));
    await vi.advanceTimersByTimeAsync(1);
    expect([slow.calls, stopped.calls]).toEqual([[], ['nack']]);
    await vi.advanceTimersByTimeAsync(60_000);
    await settled;
    expect(slow.calls).toEqual(['nack']);
  });
});

describe('an observer', () => {
  it('is told of every delivery, its lease and its end', async () => {
    const seen: unknown[] = [];
    const note =
      (what: string) =>
      (...details: unknown[]): void =>
        void seen.push([what, ...details]);
    const observer = {
      taskStarted: note('started'),
      taskFinished: note('finished'),
      redelivered: note('redelivered'),
      leaseExtended: note('extended'),
      leaseLost: note('lost'),
    };
    let extensions = 0;
    const extend = async (): Promise<void> => {
      extensions++;
      if (extensions === 2) throw new QueueUnavailable('down');
      if (extensions === 3) throw new LeaseLost('gone');
    };
    const delivery = new DeliveryDouble('kittens', { extend }, 'message', 2);
    const settled = desk.settle(delivery, hangUntilAborted, { observer });
    desk.nowMs += 5000;
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    await settled;
    const task = { kind: 'naming', attempt: 2 };
    expect(seen).toEqual([
      ['redelivered', task],
      ['started', task],
      ['extended', task, 'success'],
      ['extended', task, 'failure'],
      ['extended', task, 'failure'],
      ['lost', task],
      ['finished', task, { outcome: 'lost', durationMs: 5000, errorCode: 'E_LEASE_LOST' }],
    ]);
  });
});
