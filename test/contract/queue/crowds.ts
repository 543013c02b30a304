import { setMaxListeners } from 'node:events';
import { describe, expect } from 'vitest';
import type { TaskQueue } from '../../../common/ports/queue.ts';
import { expectEmpty, expectNothing, take, textOf, type QueueBackend, contractTest } from './fixtures.ts';

/** Many at once. */
export function crowdContract(backend: QueueBackend): void {
  const { crowd } = backend.capabilities;
  const share = Math.ceil(crowd / 5);
  const it = contractTest(backend);

  /** Receives and acknowledges in all `consumers` until `count` messages have come. */
  async function drain(consumers: readonly TaskQueue[], count: number): Promise<string[]> {
    const received: string[] = [];
    const done = new AbortController();
    // One for each consumer: no leak.
    setMaxListeners(consumers.length, done.signal);
    const consume = async (consumer: TaskQueue): Promise<void> => {
      for (;;) {
        const delivery = await consumer.receive(done.signal);
        if (!delivery) return;
        received.push(textOf(delivery));
        await delivery.ack();
        if (received.length === count) done.abort();
      }
    };
    await Promise.all(consumers.map(consume));
    return received.toSorted();
  }

  describe.sequential('a crowd', () => {
    it(`of 20 consumers shares ${share} messages: each is received once`, async ({ fixture }) => {
      const bodies = Array.from({ length: share }, (_, i) => String(i));
      const consumers = Array.from({ length: 20 }, () => fixture.otherConsumer());
      const draining = drain(consumers, bodies.length);
      for (const body of bodies) await fixture.enqueuer.publish(body);
      expect(await draining).toEqual(bodies.toSorted());
      await expectEmpty(fixture);
    });

    it(`of ${crowd} messages may be published at once`, async ({ fixture }) => {
      const bodies = Array.from({ length: crowd }, (_, i) => String(i));
      await Promise.all(bodies.map((body) => fixture.enqueuer.publish(body)));
      const consumers = Array.from({ length: 10 }, () => fixture.queue);
      expect(await drain(consumers, bodies.length)).toEqual(bodies.toSorted());
      await expectEmpty(fixture);
    });
  });

  describe('publishing', () => {
    it('does nothing if it is aborted before it begins', async ({ fixture }) => {
      const reason = new Error('aborted');
      await expect(fixture.enqueuer.publish('never', AbortSignal.abort(reason))).rejects.toBe(reason);
      await expectNothing(fixture);
    });

    it('tells each call the fate of its own message', async ({ fixture }) => {
      const reason = new Error('aborted');
      const calls = [
        fixture.enqueuer.publish('first'),
        fixture.enqueuer.publish('never', AbortSignal.abort(reason)),
        fixture.enqueuer.publish('second'),
      ];
      const fates = await Promise.allSettled(calls);
      expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      const received = [await take(fixture.queue), await take(fixture.queue)];
      expect(received.map(textOf).toSorted()).toEqual(['first', 'second']);
      await expectNothing(fixture);
    });
  });

  describe('check', () => {
    it('passes for a topic and a subscription that can be used, and takes nothing', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      await fixture.enqueuer.check();
      await fixture.queue.check(new AbortController().signal);
      expect(textOf(await take(fixture.queue))).toBe('task');
    });

    it('ends with an abort', async ({ fixture }) => {
      const reason = new Error('aborted');
      await expect(fixture.enqueuer.check(AbortSignal.abort(reason))).rejects.toBe(reason);
      await expect(fixture.queue.check(AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}
