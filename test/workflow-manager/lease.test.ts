import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { LeaseLost, StorageUnavailable } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { AggregationLease } from '../../workflow-manager/lease.ts';
import { memoryLogger } from '../support/memory-log.ts';
import { interceptedStorage, NOW, type PortCall } from '../support/publisher.ts';

const KEY = 'task-claims/kittens-seen.lease';
const DURATION_MS = 60_000;

let storage: Storage;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date', 'setInterval', 'clearInterval'] });
  storage = new MemoryStorage('own-validation');
});
afterEach(() => {
  vi.useRealTimers();
});

function acquire(runId: string, through = storage, durationMs = DURATION_MS): Promise<AggregationLease | undefined> {
  const { log } = memoryLogger();
  return AggregationLease.acquire(through, 'kittens-seen', { runId, durationMs, clock: () => new Date(), log });
}

/** The lease, of which the test knows that it is free. */
async function acquired(runId: string, through = storage): Promise<AggregationLease> {
  const lease = await acquire(runId, through);
  if (!lease) throw new Error('the lease is not free');
  return lease;
}

async function record(): Promise<unknown> {
  return JSON.parse((await readObject(storage, KEY)).toString());
}

const until = (runId: string, afterNowMs: number): unknown => ({
  'run-id': runId,
  'expires-at': new Date(NOW.getTime() + afterNowMs).toISOString(),
});
const givenBackBy = (runId: string): unknown => ({ 'run-id': runId, 'expires-at': '1970-01-01T00:00:00.000Z' });

type Method = PortCall['method'];
type Answer = 'fails' | 'is refused' | 'comes through and fails' | 'comes through and is refused';

/** The storage, but some calls of a method go wrong: one answer for each call, `undefined` for one that goes well. */
function faulty(method: Method, answers: readonly (Answer | undefined)[], base = storage): Storage {
  let calls = 0;
  return interceptedStorage(base, async (call, proceed) => {
    const answer = call.method === method ? answers[calls++] : undefined;
    if (answer === undefined) return proceed();
    if (answer.startsWith('comes through')) await proceed();
    if (answer.endsWith('fails')) throw new StorageUnavailable('no answer');
    // All conditional writes may give it.
    return undefined as Awaited<ReturnType<typeof proceed>>;
  });
}

describe('acquire', () => {
  it('takes a lease that nobody has', async () => {
    const lease = await acquired('run-1');
    expect(await record()).toEqual(until('run-1', DURATION_MS));
    await expect(lease.assertHeld()).resolves.toBeUndefined();
  });

  it('is told that another run has it', async () => {
    await acquired('run-1');
    expect(await acquire('run-2')).toBeUndefined();
    vi.setSystemTime(NOW.getTime() + DURATION_MS - 1);
    expect(await acquire('run-2')).toBeUndefined();
    expect(await record()).toEqual(until('run-1', DURATION_MS));
  });

  it('takes an expired one over', async () => {
    const old = await acquired('run-1');
    vi.setSystemTime(NOW.getTime() + DURATION_MS);
    const lease = await acquired('run-2');
    expect(await record()).toEqual(until('run-2', 2 * DURATION_MS));
    await expect(lease.assertHeld()).resolves.toBeUndefined();
    await expect(old.assertHeld()).rejects.toThrow(LeaseLost);
  });

  it('has one winner', async () => {
    const leases = await Promise.all(['1', '2', '3', '4'].map((n) => acquire(`run-${n}`)));
    expect(leases.filter((lease) => lease)).toHaveLength(1);
    vi.setSystemTime(NOW.getTime() + DURATION_MS);
    const next = await Promise.all(['5', '6', '7', '8'].map((n) => acquire(`run-${n}`)));
    expect(next.filter((lease) => lease)).toHaveLength(1);
  });

  it('keeps the leases of aggregations apart', async () => {
    const { log } = memoryLogger();
    const settings = { runId: 'run-1', durationMs: DURATION_MS, clock: () => new Date(), log };
    for (const id of ['a', 'a-b', 'aggregate-a']) {
      expect(await AggregationLease.acquire(storage, id, settings)).toBeDefined();
    }
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"run-id":'],
    ['no object', '"run-1"'],
    ['null', 'null'],
    ['no run', '{"expires-at":"2999-01-01T00:00:00Z"}'],
    ['no expiry', '{"run-id":"run-1"}'],
    ['an expiry that is no time', '{"run-id":"run-1","expires-at":"soon"}'],
    ['an expiry in numbers', '{"run-id":"run-1","expires-at":9999999999999}'],
    ['a run in numbers', '{"run-id":1,"expires-at":"2999-01-01T00:00:00Z"}'],
    ['bytes', '\xff\x00\xfe'],
  ])('takes over an object that holds %s', async (_, content) => {
    await storage.put(KEY, Buffer.from(content, 'latin1'));
    await acquired('run-2');
    expect(await record()).toEqual(until('run-2', DURATION_MS));
  });

  it.each<Answer>(['comes through and fails', 'comes through and is refused'])(
    'recognises its own lease if the creation %s',
    async (answer) => {
      const lease = await acquired('run-1', faulty('createIfAbsent', [answer]));
      await expect(lease.assertHeld()).resolves.toBeUndefined();
      await lease.release();
      expect(await record()).toEqual(givenBackBy('run-1'));
    },
  );

  it.each<Answer>(['comes through and fails', 'comes through and is refused'])(
    'recognises its own lease if the takeover %s',
    async (answer) => {
      await (await acquired('run-1')).release();
      const lease = await acquired('run-2', faulty('replaceIfUnchanged', [answer]));
      await expect(lease.assertHeld()).resolves.toBeUndefined();
      await lease.release();
      expect(await record()).toEqual(givenBackBy('run-2'));
    },
  );

  it('fails with the storage', async () => {
    await expect(acquire('run-1', faulty('createIfAbsent', ['fails']))).rejects.toThrow('no answer');
    await expect(acquire('run-1', faulty('get', ['fails'], faulty('createIfAbsent', ['is refused'])))).rejects.toThrow(
      'no answer',
    );
    await (await acquired('run-1')).release();
    await expect(acquire('run-2', faulty('replaceIfUnchanged', ['fails']))).rejects.toThrow('no answer');
    expect(await record()).toEqual(givenBackBy('run-1'));
  });

  it('leaves a lease alone that disappears under its eyes', async () => {
    expect(await acquire('run-1', faulty('createIfAbsent', ['is refused']))).toBeUndefined();
  });
});

describe('renewal', () => {
  it('takes place three times within the duration, for as long as the lease is held', async () => {
    const lease = await acquired('run-1');
    for (let third = 1; third <= 10; third++) {
      await vi.advanceTimersByTimeAsync(DURATION_MS / 3);
      await lease.assertHeld();
      expect(await record()).toEqual(until('run-1', DURATION_MS + (third * DURATION_MS) / 3));
    }
    expect(await acquire('run-2')).toBeUndefined();
  });

  it('ends with the release', async () => {
    const lease = await acquired('run-1');
    await lease.release();
    await vi.advanceTimersByTimeAsync(10 * DURATION_MS);
    expect(await record()).toEqual(givenBackBy('run-1'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[Answer]>([['fails'], ['is refused'], ['comes through and fails'], ['comes through and is refused']])(
    'that %s is made up for by the next',
    async (answer) => {
      const lease = await acquired('run-1', faulty('replaceIfUnchanged', [answer]));
      await vi.advanceTimersByTimeAsync(DURATION_MS / 3);
      await lease.assertHeld();
      // One that comes through without an answer leaves us with a version of yesterday, which the next finds out.
      await vi.advanceTimersByTimeAsync(DURATION_MS / 3);
      await lease.assertHeld();
      await vi.advanceTimersByTimeAsync(DURATION_MS / 3);
      await lease.assertHeld();
      expect(await record()).toEqual(until('run-1', 2 * DURATION_MS));
      await lease.release();
      expect(await record()).toEqual(givenBackBy('run-1'));
    },
  );

  it('that gets no answer is found out by the next, though nobody looks at the lease', async () => {
    await acquired('run-1', faulty('replaceIfUnchanged', ['comes through and fails']));
    await vi.advanceTimersByTimeAsync(2 * DURATION_MS);
    expect(await record()).toEqual(until('run-1', 3 * DURATION_MS));
  });

  it('that fails all the time lets the lease expire', async () => {
    const lease = await acquired('run-1', faulty('replaceIfUnchanged', ['fails', 'fails', 'fails']));
    await vi.advanceTimersByTimeAsync(DURATION_MS - 1);
    await expect(lease.assertHeld()).resolves.toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await expect(lease.assertHeld()).rejects.toThrow(/lost: it expired/);
  });

  it('finds out that another run has taken over, and is the last', async () => {
    const lease = await acquired('run-1');
    vi.setSystemTime(NOW.getTime() + 2 * DURATION_MS);
    await acquired('run-2');
    await vi.advanceTimersByTimeAsync(DURATION_MS / 3);
    const held = await record();
    await expect(lease.assertHeld()).rejects.toThrow(LeaseLost);
    await lease.release();
    expect(await record()).toEqual(held);
    expect(held).toMatchObject({ 'run-id': 'run-2' });
  });

  it('does not begin while one is under way', async () => {
    const waiting: (() => void)[] = [];
    let [underWay, most] = [0, 0];
    const slow = interceptedStorage(storage, async (call, proceed) => {
      if (call.method !== 'replaceIfUnchanged') return proceed();
      most = Math.max(most, ++underWay);
      await new Promise<void>((resolve) => waiting.push(resolve));
      underWay--;
      return proceed();
    });
    const lease = await acquired('run-1', slow);
    await vi.advanceTimersByTimeAsync(DURATION_MS * 0.9);
    expect({ most, waiting: waiting.length }).toEqual({ most: 1, waiting: 1 });
    const held = lease.assertHeld();
    waiting.shift()?.();
    // It was on its way when the lease was looked at.
    await expect(held).resolves.toBeUndefined();
    const released = lease.release();
    await vi.waitUntil(() => waiting.length > 0);
    waiting.shift()?.();
    await released;
    expect(await record()).toEqual(givenBackBy('run-1'));
  });

  it('is not forgotten, nor incessant, where the duration is longer than timers can be', async () => {
    let renewals = 0;
    const counting = interceptedStorage(storage, async (call, proceed) => {
      if (call.method === 'replaceIfUnchanged') renewals++;
      return proceed();
    });
    const year = 365 * 86_400_000;
    const lease = await acquire('run-1', counting, 100 * year);
    await vi.advanceTimersByTimeAsync(30 * 86_400_000);
    expect(renewals).toBe(1);
    await lease?.release();
  });
});

describe('assertHeld', () => {
  it('throws LeaseLost after a takeover, from then on without looking', async () => {
    const calls: PortCall[] = [];
    const watched = interceptedStorage(storage, async (call, proceed) => {
      calls.push(call);
      return proceed();
    });
    const lease = await acquired('run-1', watched);
    vi.setSystemTime(NOW.getTime() + DURATION_MS);
    await (await acquired('run-2')).release();
    vi.setSystemTime(NOW.getTime());
    await expect(lease.assertHeld()).rejects.toMatchObject({ code: 'E_LEASE_LOST', fate: 'retry' });
    await expect(lease.assertHeld()).rejects.toThrow(`the lease ${KEY} in ${storage.url} is lost: another run has`);
    expect(calls.map(({ method }) => method)).toEqual(['createIfAbsent', 'get']);
  });

  it.each([
    ['deleted', () => storage.delete(KEY)],
    ['overwritten', () => storage.put(KEY, Buffer.from('?'))],
  ])('throws LeaseLost if the object was %s', async (_, change) => {
    const lease = await acquired('run-1');
    await change();
    await expect(lease.assertHeld()).rejects.toThrow(LeaseLost);
    await lease.release();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('throws LeaseLost once the lease has expired, though nobody has taken it', async () => {
    const lease = await acquired('run-1');
    // As a process that was suspended finds the clock.
    vi.setSystemTime(NOW.getTime() + DURATION_MS);
    await expect(lease.assertHeld()).rejects.toThrow(/lost: it expired/);
    await lease.release();
    expect(await record()).toEqual(until('run-1', DURATION_MS));
  });

  it('counts the time that looking takes', async () => {
    const slow = interceptedStorage(storage, async (call, proceed) => {
      const answer = await proceed();
      if (call.method === 'get') vi.setSystemTime(NOW.getTime() + DURATION_MS);
      return answer;
    });
    const lease = await acquired('run-1', slow);
    await expect(lease.assertHeld()).rejects.toThrow(/lost: it expired/);
  });

  it('fails with the storage, which is no loss', async () => {
    const lease = await acquired('run-1', faulty('get', ['fails']));
    await expect(lease.assertHeld()).rejects.toThrow(StorageUnavailable);
    await expect(lease.assertHeld()).resolves.toBeUndefined();
  });
});

describe('release', () => {
  it('lets the next run acquire the lease at once', async () => {
    await (await acquired('run-1')).release();
    expect(await record()).toEqual(givenBackBy('run-1'));
    await (await acquired('run-2')).release();
    expect(await record()).toEqual(givenBackBy('run-2'));
  });

  it('lets the same run acquire it again, too', async () => {
    await (await acquired('run-1')).release();
    await expect((await acquired('run-1')).assertHeld()).resolves.toBeUndefined();
  });

  it('writes nothing after a loss that it comes to know of only then', async () => {
    const lease = await acquired('run-1');
    vi.setSystemTime(NOW.getTime() + DURATION_MS);
    await acquired('run-2');
    const held = await record();
    await lease.release();
    expect(await record()).toEqual(held);
  });

  it.each<Answer>(['fails', 'is refused', 'comes through and fails'])('never throws if it %s', async (answer) => {
    const { log, lines } = memoryLogger();
    const settings = { runId: 'run-1', durationMs: DURATION_MS, clock: () => new Date(), log };
    const through = faulty('replaceIfUnchanged', [answer]);
    const lease = await AggregationLease.acquire(through, 'kittens-seen', settings);
    await expect(lease?.release()).resolves.toBeUndefined();
    const isKnown = answer === 'is refused';
    expect(lines.map(({ severity, error }) => ({ severity, error }))).toEqual(
      isKnown ? [] : [{ severity: 'WARNING', error: 'no answer' }],
    );
    expect(await record()).toEqual(answer === 'fails' ? until('run-1', DURATION_MS) : givenBackBy('run-1'));
  });
});
