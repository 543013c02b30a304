import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QueueUnavailable, Stopped } from '../../../common/errors.ts';
import type { Delivery } from '../../../common/ports/queue.ts';
import type { TaskContext, TaskKind } from '../../../facilitator/worker/task-kind.ts';
import { runWorker, type WorkerSetup } from '../../../facilitator/worker/worker.ts';
import { memoryLogger, type MemoryLog } from '../../support/memory-log.ts';
import { DeliveryDouble, promiseOf, QueueDouble } from './queue-double.ts';
import { workerSetup } from './setup.ts';

interface NamedTask {
  readonly traceId: string;
  readonly name: string;
}

let log: MemoryLog;
let stop: AbortController;
let stopNow: AbortController;
beforeEach(() => {
  log = memoryLogger();
  stop = new AbortController();
  stopNow = new AbortController();
});

type Work = (task: NamedTask, context: TaskContext) => Promise<void>;

const tasks = (work: Work): TaskKind<NamedTask> => ({
  name: 'naming',
  decode: (message) => ({ traceId: 'trace', name: Buffer.from(message).toString() }),
  describe: () => ({}),
  execute: async (task, context) => {
    await work(task, context);
    return {};
  },
});

const work = (queue: QueueDouble, doTask: Work, changes: Partial<WorkerSetup> = {}): Promise<void> =>
  runWorker(tasks(doTask), workerSetup({ queue, log: log.log, ...changes }), {
    stop: stop.signal,
    stopNow: stopNow.signal,
  });

const named = (...names: readonly string[]): DeliveryDouble[] => names.map((name) => new DeliveryDouble(name));
const messages = (): unknown[] => log.lines.map(({ message }) => message);

describe('a worker', () => {
  it('does one task after the other, whatever becomes of them', async () => {
    const deliveries = named('a', 'b', 'c', 'd');
    let running = 0;
    const order: string[] = [];
    await work(new QueueDouble(...deliveries), async ({ name }) => {
      expect(++running).toBe(1);
      await Promise.resolve();
      order.push(name);
      running--;
      if (name === 'd') stop.abort(new Error('stopped by SIGTERM'));
      if (name === 'b') throw new Error('bug');
    });
    expect(order).toEqual(['a', 'b', 'c', 'd']);
    expect(deliveries.map(({ calls }) => calls)).toEqual([['ack'], ['nack'], ['ack'], ['ack']]);
    expect(messages().at(0)).toBe('worker started');
    expect(log.lines.at(-1)).toMatchObject({ message: 'worker stopped', reason: 'stopped by SIGTERM' });
  });

  it('finishes the task in hand when it is to stop, and takes no other', async () => {
    const [first, second] = named('a', 'b');
    const queue = new QueueDouble(first!, second!);
    const begun = promiseOf();
    const finish = promiseOf();
    const ended = work(queue, () => {
      begun.resolve();
      return finish.promise;
    });
    await begun.promise;
    stop.abort();
    finish.resolve();
    await ended;
    expect([first!.calls, second!.calls]).toEqual([['ack'], []]);
    expect(queue.received).toBe(1);
  });

  it('that waits for a task stops at once', async () => {
    const queue = new QueueDouble();
    const ended = work(queue, async () => {});
    await vi.waitFor(() => expect(queue.received).toBe(1));
    stop.abort();
    await ended;
  });

  it('that is to stop before it began takes no task', async () => {
    const queue = new QueueDouble(...named('a'));
    stop.abort();
    await work(queue, async () => {});
    expect(queue.received).toBe(0);
  });

  it('lives on when the queue cannot be told what became of a task', async () => {
    const failing = new DeliveryDouble('a', { ack: () => Promise.reject(new QueueUnavailable('down')) });
    const [next] = named('b');
    await work(new QueueDouble(failing, next!), async ({ name }) => {
      if (name === 'b') stop.abort();
    });
    expect(next!.calls).toEqual(['ack']);
  });
});

describe('a pool', () => {
  it('does so many tasks at once, and never more', async () => {
    const deliveries = named('a', 'b', 'c', 'd', 'e');
    let [running, most, done] = [0, 0, 0];
    await work(
      new QueueDouble(...deliveries),
      async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        if (++done === deliveries.length) stop.abort();
      },
      { poolSize: 3 },
    );
    expect(most).toBe(3);
    expect(deliveries.map(({ calls }) => calls)).toEqual(deliveries.map(() => ['ack']));
  });

  it('of the greatest size causes no warning of leaking listeners', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const queue = new QueueDouble();
    const ended = work(queue, async () => {}, { poolSize: 64 });
    await vi.waitFor(() => expect(queue.received).toBe(64));
    stop.abort();
    await ended;
    // Warnings come in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('the greatest number of tasks', () => {
  it.each([1, 2, 3, 5])('ends a pool of 3 after %s tasks, and leaves the rest to others', async (maxTasks) => {
    const deliveries = named('a', 'b', 'c', 'd', 'e', 'f');
    await work(new QueueDouble(...deliveries), async () => {}, { poolSize: 3, maxTasks });
    expect(deliveries.filter(({ calls }) => calls.length > 0)).toHaveLength(maxTasks);
    expect(log.lines.at(-1)).toMatchObject({
      message: 'worker stopped',
      reason: `${maxTasks} tasks were taken, and no more are to be`,
    });
  });
});

describe('the shutdown grace', () => {
  const shutdownGraceMs = 5000;
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  /** A worker that has a task in hand; the task hangs until its signal aborts. */
  async function busyWorker(): Promise<{ delivery: DeliveryDouble; ended: Promise<void> }> {
    const [delivery] = named('a');
    const begun = promiseOf();
    const hang: Work = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        begun.resolve();
      });
    const ended = work(new QueueDouble(delivery!), hang, { shutdownGraceMs });
    await begun.promise;
    return { delivery: delivery!, ended };
  }

  it('lets the task in hand run on, and then gives it back', async () => {
    const { delivery, ended } = await busyWorker();
    stop.abort(new Stopped('stopped by SIGTERM'));
    await vi.advanceTimersByTimeAsync(shutdownGraceMs - 1);
    expect(delivery.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await ended;
    expect(delivery.calls).toEqual(['nack']);
    expect(log.lines.slice(-2)).toMatchObject([
      { message: 'task finished', outcome: 'nack', error_code: 'E_STOPPED' },
      { message: 'worker stopped', reason: 'stopped by SIGTERM' },
    ]);
  });

  it('ends when the worker is told to stop at once', async () => {
    const { delivery, ended } = await busyWorker();
    stop.abort(new Stopped('stopped by SIGTERM'));
    await vi.advanceTimersByTimeAsync(1000);
    stopNow.abort(new Stopped('stopped at once by another SIGTERM'));
    await ended;
    expect(delivery.calls).toEqual(['nack']);
    expect(log.lines.at(-2)).toMatchObject({ error: 'stopped at once by another SIGTERM' });
  });

  it('does not begin with the maximum lifetime, but with a signal after it', async () => {
    const [delivery] = named('a');
    const ended = work(
      new QueueDouble(delivery!),
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
      { shutdownGraceMs, maximumLifetimeMs: 1000 },
    );
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(new Set(delivery!.calls)).toEqual(new Set(['extend']));
    stop.abort(new Stopped('stopped by SIGTERM'));
    await vi.advanceTimersByTimeAsync(shutdownGraceMs);
    await ended;
    expect(delivery!.calls.at(-1)).toBe('nack');
  });
});

describe('a queue that fails', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('is asked again, after pauses that grow to half a minute', async () => {
    const [delivery] = named('a');
    const failures = Array.from({ length: 10 }, (_, i) =>
      i % 2 ? new TypeError('bug') : new QueueUnavailable('down'),
    );
    const queue = new QueueDouble(...failures, delivery!);
    const ended = work(queue, async () => stop.abort());
    const pauses: number[] = [];
    for (let elapsedMs = 0, received = 1; delivery!.calls.length === 0; elapsedMs += 100) {
      await vi.advanceTimersByTimeAsync(100);
      if (queue.received === received) continue;
      received = queue.received;
      pauses.push(elapsedMs);
      elapsedMs = 0;
    }
    await ended;
    expect(pauses).toHaveLength(10);
    expect(pauses[0]).toBeGreaterThanOrEqual(900);
    expect(pauses[0]).toBeLessThanOrEqual(2000);
    for (const pause of pauses.slice(5)) expect(Math.round(pause / 1000)).toBe(30);
    expect(log.lines.slice(1, 3)).toMatchObject([
      { severity: 'ERROR', error_code: 'E_QUEUE_UNAVAILABLE', error: 'down' },
      { severity: 'ERROR', error_code: 'E_UNEXPECTED', error: 'bug' },
    ]);
    expect(delivery!.calls).toEqual(['ack']);
  });

  it('does not keep the worker from stopping', async () => {
    const queue = new QueueDouble(new TypeError('bug'));
    const ended = work(queue, async () => {});
    await vi.waitFor(() => expect(log.lines).toHaveLength(2));
    stop.abort();
    await ended;
    expect(queue.received).toBe(1);
  });

  it('that gave out a task just when the worker was told to stop has it done', async () => {
    const [delivery] = named('a');
    class LateQueue extends QueueDouble {
      override async receive(): Promise<Delivery> {
        stop.abort();
        return delivery!;
      }
    }
    await work(new LateQueue(), async () => {});
    expect(delivery!.calls).toEqual(['ack']);
  });
});

describe('the maximum lifetime', () => {
  it('ends a worker that waits', async () => {
    vi.useFakeTimers();
    const ended = work(new QueueDouble(), async () => {}, { maximumLifetimeMs: 3_600_000 });
    await vi.advanceTimersByTimeAsync(3_600_000);
    await ended;
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    expect(log.lines.at(-1)).toMatchObject({ message: 'worker stopped', reason: 'the maximum lifetime is reached' });
  });

  it('lets the task in hand be finished', async () => {
    vi.useFakeTimers();
    const [delivery] = named('a');
    const finish = promiseOf();
    const ended = work(new QueueDouble(delivery!), () => finish.promise, { maximumLifetimeMs: 1000 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(delivery!.calls).toEqual([]);
    finish.resolve();
    await ended;
    vi.useRealTimers();
    expect(delivery!.calls).toEqual(['ack']);
  });

  it('leaves no timer behind in a worker that ends before', async () => {
    vi.useFakeTimers();
    stop.abort();
    await work(new QueueDouble(), async () => {}, { maximumLifetimeMs: 3_600_000 });
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});
