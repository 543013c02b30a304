import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Batcher, type BatchEntry } from '../../../../common/backends/queue/batcher.ts';

type Send = (batch: readonly BatchEntry<number>[]) => Promise<void>;

const resolveAll: Send = async (batch) => {
  for (const entry of batch) entry.resolve();
};

function batcher(send: Send, limits: { maxItems?: number; maxBytes?: number; batchesAtOnce?: number } = {}) {
  const batches: number[][] = [];
  const recorded: Send = (batch) => {
    batches.push(batch.map(({ item }) => item));
    return send(batch);
  };
  const { maxItems = 10, maxBytes = 100, batchesAtOnce = 4 } = limits;
  return { batches, batcher: new Batcher<number>({ maxItems, maxBytes, batchesAtOnce, send: recorded }) };
}

it('sends each item once, in order, in batches within the limits that could not hold the next item', async () => {
  const sizes = fc.array(fc.nat(100), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 12 }), async (sizes, maxItems) => {
      const { batches, batcher: subject } = batcher(resolveAll, { maxItems });
      await Promise.all(sizes.map((bytes, i) => subject.add(i, bytes)));
      expect(batches.flat()).toEqual(sizes.map((_, i) => i));
      const total = (batch: readonly number[]): number => batch.reduce((sum, i) => sum + sizes[i]!, 0);
      for (const [n, batch] of batches.entries()) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(maxItems);
        expect(total(batch)).toBeLessThanOrEqual(100);
        const next = batches[n + 1]?.[0];
        if (next !== undefined) expect(batch.length === maxItems || total(batch) + sizes[next]! > 100).toBe(true);
      }
    }),
  );
});

it('collects what comes in one turn of the event loop, and no more', async () => {
  const { batches, batcher: subject } = batcher(resolveAll);
  await Promise.all([subject.add(1, 1), Promise.resolve().then(() => subject.add(2, 1))]);
  await subject.add(3, 1);
  expect(batches).toEqual([[1, 2], [3]]);
});

it('tells each item its own fate', async () => {
  const refusal = new Error('odd');
  const { batcher: subject } = batcher(async (batch) => {
    for (const entry of batch) {
      if (entry.item % 2 === 0) entry.resolve();
      else entry.reject(refusal);
    }
  });
  const fates = await Promise.allSettled([1, 2, 3].map((item) => subject.add(item, 1)));
  expect(fates.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
});

it('rejects what is left of a batch that failed, and only that', async () => {
  const failure = new Error('failed');
  const { batcher: subject } = batcher(
    async (batch) => {
      batch[0]?.resolve();
      if (batch.length > 1) throw failure;
    },
    { maxItems: 2 },
  );
  const fates = await Promise.allSettled([1, 2, 3].map((item) => subject.add(item, 1)));
  expect(fates).toEqual([
    { status: 'fulfilled', value: undefined },
    { status: 'rejected', reason: failure },
    { status: 'fulfilled', value: undefined },
  ]);
});

it('sends no more batches at once than it may', async () => {
  let running = 0;
  let most = 0;
  const { batcher: subject } = batcher(
    async (batch) => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      await resolveAll(batch);
    },
    { maxItems: 1, batchesAtOnce: 3 },
  );
  await Promise.all(Array.from({ length: 20 }, (_, i) => subject.add(i, 1)));
  expect(most).toBe(3);
});
