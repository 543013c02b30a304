import { beforeEach, describe, expect, it, vi } from 'vitest';
import { QueueUnavailable } from '../../../common/errors.ts';
import type { TaskKind } from '../../../facilitator/worker/task-kind.ts';
import { runWorker } from '../../../facilitator/worker/worker.ts';
import { memoryLogger, type MemoryLog } from '../../support/memory-log.ts';
import { DeliveryDouble, promiseOf, QueueDouble } from './queue-double.ts';

interface NamedTask {
  readonly traceId: string;
  readonly name: string;
}

let log: MemoryLog;
let stop: AbortController;
beforeEach(() => {
  log = memoryLogger();
  stop = new AbortController();
});

const tasks = (handle: (task: NamedTask) => Promise<void>): TaskKind<NamedTask> => ({
  decode: (message) => ({ traceId: 'trace', name: Buffer.from(message).toString() }),
  describe: () => ({}),
  handle,
});

const work = (
  queue: QueueDouble,
  handle: (task: NamedTask) => Promise<void>,
  maximumLifetimeMs?: number,
): Promise<void> =>
  runWorker(tasks(handle), { queue, maximumLifetimeMs, clock: () => new Date(0), log: log.log }, stop.signal);

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

describe('a queue that fails', () => {
  it('is asked again after a pause', async () => {
    const [delivery] = named('a');
    const queue = new QueueDouble(new QueueUnavailable('down'), delivery!);
    await work(queue, async () => stop.abort());
    expect(delivery!.calls).toEqual(['ack']);
    expect(log.lines[1]).toMatchObject({ severity: 'ERROR', error_code: 'E_QUEUE_UNAVAILABLE', error: 'down' });
  });

  it('does not keep the worker from stopping', async () => {
    const queue = new QueueDouble(new TypeError('bug'));
    const ended = work(queue, async () => {});
    await vi.waitFor(() => expect(log.lines).toHaveLength(2));
    expect(log.lines[1]).toMatchObject({ error_code: 'E_UNEXPECTED' });
    const beganMs = performance.now();
    stop.abort();
    await ended;
    expect(performance.now() - beganMs).toBeLessThan(500);
    expect(queue.received).toBe(1);
  });
});

describe('the maximum lifetime', () => {
  it('ends a worker that waits', async () => {
    vi.useFakeTimers();
    const ended = work(new QueueDouble(), async () => {}, 3_600_000);
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
    const ended = work(new QueueDouble(delivery!), () => finish.promise, 1000);
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
    await work(new QueueDouble(), async () => {}, 3_600_000);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});
