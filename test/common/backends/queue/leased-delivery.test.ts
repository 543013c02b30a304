import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeasedDelivery, leaseLost, type Lease } from '../../../../common/backends/queue/leased-delivery.ts';
import { LeaseLost, QueueUnavailable } from '../../../../common/errors.ts';

const DEADLINE_MS = 600_000;

let calls: string[];
/** Instead of an answer of the service. */
let failure: Error | undefined;
/** Before an answer of the service. */
let latency: () => Promise<void>;
let isSlotFree: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  [calls, failure, latency, isSlotFree] = [[], undefined, async () => {}, false];
});
afterEach(() => {
  vi.useRealTimers();
});

function delivery({ parks = true } = {}): LeasedDelivery {
  const call = (name: string) => async (): Promise<void> => {
    calls.push(name);
    await latency();
    if (failure) throw failure;
  };
  const lease: Lease = {
    acknowledge: call('acknowledge'),
    giveBack: call('give back'),
    extend: call('extend'),
    park: parks ? call('park') : undefined,
  };
  return new LeasedDelivery({
    id: 'm-1',
    body: Buffer.from('task'),
    attempt: 1,
    publishedAt: undefined,
    url: 'queue://tasks',
    ackDeadlineMs: DEADLINE_MS,
    lease,
    slot: { free: () => (isSlotFree = true) },
  });
}

describe('a delivery that is settled', () => {
  it.each([
    ['ack', ['acknowledge']],
    ['nack', ['give back']],
    ['reject', ['extend', 'park', 'acknowledge']],
  ] as const)('by %s tells the service so, frees its slot, and is nobody’s any more', async (method, wanted) => {
    const held = delivery();
    await held[method]();
    expect(calls).toEqual(wanted);
    expect(isSlotFree).toBe(true);
    for (const again of ['ack', 'nack', 'reject', 'extend'] as const) {
      await expect(held[again]()).rejects.toThrow(LeaseLost);
      await expect(held[again]()).rejects.toThrow('message m-1 of queue://tasks');
    }
    expect(calls).toEqual(wanted);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('by reject without a rejected topic is given back', async () => {
    await delivery({ parks: false }).reject();
    expect(calls).toEqual(['give back']);
  });

  it('is not acknowledged if its body could not be parked', async () => {
    const held = delivery();
    latency = async () => {
      if (calls.at(-1) === 'park') throw new QueueUnavailable('no topic');
    };
    await expect(held.reject()).rejects.toThrow('no topic');
    expect(calls).toEqual(['extend', 'park']);
  });

  it('in vain frees its slot, and may be settled again', async () => {
    const held = delivery();
    failure = new QueueUnavailable('not now');
    await expect(held.ack()).rejects.toThrow('not now');
    expect(isSlotFree).toBe(true);
    failure = undefined;
    await held.ack();
    expect(calls).toEqual(['acknowledge', 'acknowledge']);
  });
});

describe('the lease', () => {
  it.each(['ack', 'nack', 'reject', 'extend'] as const)(
    'is over at the deadline, without a word to the service: %s',
    async (method) => {
      const held = delivery();
      vi.advanceTimersByTime(DEADLINE_MS);
      expect(isSlotFree).toBe(true);
      await expect(held[method]()).rejects.toThrow(LeaseLost);
      expect(calls).toEqual([]);
    },
  );

  it('lasts for another deadline from before the extension', async () => {
    const held = delivery();
    vi.advanceTimersByTime(DEADLINE_MS - 1);
    latency = async () => void (await vi.advanceTimersByTimeAsync(1000));
    // The answer comes when the old deadline has passed: somebody else may have the message.
    await expect(held.extend()).rejects.toThrow(LeaseLost);
    const other = delivery();
    vi.advanceTimersByTime(DEADLINE_MS - 2000);
    await other.extend();
    latency = async () => {};
    vi.advanceTimersByTime(DEADLINE_MS - 1001);
    await other.extend();
    vi.advanceTimersByTime(DEADLINE_MS - 1);
    await other.ack();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays as it is if an extension fails', async () => {
    const held = delivery();
    vi.advanceTimersByTime(DEADLINE_MS - 1000);
    failure = new QueueUnavailable('not now');
    await expect(held.extend()).rejects.toThrow('not now');
    failure = undefined;
    vi.advanceTimersByTime(999);
    await held.extend();
    vi.advanceTimersByTime(DEADLINE_MS - 1);
    await held.ack();
  });

  it('is over if the service says so', async () => {
    const held = delivery();
    failure = leaseLost('m-1', 'queue://tasks', new Error('as it is'));
    await expect(held.extend()).rejects.toBe(failure);
    expect(isSlotFree).toBe(true);
    await expect(held.ack()).rejects.toThrow(LeaseLost);
    expect(calls).toEqual(['extend']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('does one thing after the other', async () => {
  const held = delivery();
  const order: string[] = [];
  latency = async () => {
    const call = calls.at(-1);
    await vi.advanceTimersByTimeAsync(10);
    order.push(`${call}`);
    expect(calls.at(-1)).toBe(call);
  };
  await Promise.all([held.extend(), held.extend(), held.ack()]);
  expect(order).toEqual(['extend', 'extend', 'acknowledge']);
});
