import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeaseLost, QueueUnavailable } from '../../../common/errors.ts';
import { LeaseKeeper } from '../../../facilitator/worker/lease-keeper.ts';
import { memoryLogger, type MemoryLog } from '../../support/memory-log.ts';
import { DeliveryDouble, promiseOf } from './queue-double.ts';

const DEADLINE_MS = 600_000;
const BEAT_MS = 200_000;

let log: MemoryLog;
beforeEach(() => {
  vi.useFakeTimers();
  log = memoryLogger();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function keep(extend?: () => Promise<void>): { delivery: DeliveryDouble; lease: LeaseKeeper } {
  const delivery = new DeliveryDouble('', extend ? { extend } : {});
  return { delivery, lease: new LeaseKeeper(delivery, DEADLINE_MS, log.log) };
}

describe('the lease on a delivery', () => {
  it('is extended every third of the deadline, from the receipt until the end', async () => {
    const { delivery, lease } = keep();
    await vi.advanceTimersByTimeAsync(BEAT_MS - 1);
    expect(delivery.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(delivery.calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(99 * BEAT_MS);
    expect(delivery.calls).toHaveLength(100);
    await lease.end();
    await vi.advanceTimersByTimeAsync(10 * DEADLINE_MS);
    expect(delivery.calls).toHaveLength(100);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is lost at once when an extension says so', async () => {
    const gone = new LeaseLost('gone');
    const { delivery, lease } = keep(() => Promise.reject(gone));
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    expect(lease.signal.reason).toBe(gone);
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    expect(delivery.calls).toHaveLength(1);
    await lease.end();
  });

  it('is lost too if that is the cause of what an extension says', async () => {
    const gone = new LeaseLost('gone');
    const { lease } = keep(() => Promise.reject(new Error('extend', { cause: gone })));
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    expect(lease.signal.reason).toBe(gone);
    await lease.end();
  });

  it('is lost a whole deadline after its receipt if every extension fails', async () => {
    const { lease } = keep(() => Promise.reject(new QueueUnavailable('no connection')));
    await vi.advanceTimersByTimeAsync(DEADLINE_MS - 1);
    expect(lease.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    await lease.end();
  });

  it('is lost a whole deadline after its receipt if the queue does not answer', async () => {
    const answer = promiseOf();
    const { lease } = keep(() => answer.promise);
    await vi.advanceTimersByTimeAsync(DEADLINE_MS - 1);
    expect(lease.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    answer.resolve();
    await lease.end();
  });

  it('is lost a whole deadline after the last extension that succeeded was sent', async () => {
    let answers = 0;
    const { delivery, lease } = keep(() => {
      // Sent at a third of the deadline, answered 100 s later.
      if (answers++ === 0) return new Promise((resolve) => setTimeout(resolve, 100_000));
      return Promise.reject(new QueueUnavailable('no connection'));
    });
    await vi.advanceTimersByTimeAsync(BEAT_MS + DEADLINE_MS - 1);
    expect(lease.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(lease.signal.aborted).toBe(true);
    expect(delivery.calls.length).toBeGreaterThanOrEqual(3);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ severity: 'WARNING', error_code: 'E_QUEUE_UNAVAILABLE' }),
    );
    await lease.end();
  });

  it('survives every other extension failing', async () => {
    let calls = 0;
    const { delivery, lease } = keep(() =>
      ++calls % 2 === 0 ? Promise.resolve() : Promise.reject(new QueueUnavailable('no connection')),
    );
    await vi.advanceTimersByTimeAsync(10 * DEADLINE_MS);
    expect(lease.signal.aborted).toBe(false);
    expect(delivery.calls).toHaveLength(30);
    await lease.end();
  });

  it('is lost after a standstill of a whole deadline, before an extension can pretend otherwise', async () => {
    const { delivery, lease } = keep();
    // All timers are due at once, as they are after SIGSTOP and SIGCONT.
    vi.advanceTimersByTime(DEADLINE_MS);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    expect(delivery.calls.length).toBeLessThanOrEqual(1);
    await lease.end();
  });

  it('sends one extension at a time', async () => {
    const answer = promiseOf();
    const { delivery, lease } = keep(() => answer.promise);
    await vi.advanceTimersByTimeAsync(2 * BEAT_MS);
    expect(delivery.calls).toHaveLength(1);
    answer.resolve();
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    expect(delivery.calls).toHaveLength(2);
    await lease.end();
  });

  it('ends when the extension that is under way is answered, as one behind a nack would hold the message', async () => {
    const answer = promiseOf();
    const { lease } = keep(() => answer.promise);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    let ended = false;
    const end = lease.end().then(() => (ended = true));
    await vi.advanceTimersByTimeAsync(1000);
    expect(ended).toBe(false);
    answer.resolve();
    await end;
    expect(lease.signal.aborted).toBe(false);
  });

  it('may turn out lost by that very extension', async () => {
    const answer = promiseOf();
    const { lease } = keep(() => answer.promise);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    const end = lease.end();
    answer.reject(new LeaseLost('gone'));
    await end;
    expect(lease.signal.aborted).toBe(true);
  });
});
