import { setImmediate } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { expectEmpty, take, takeAll, textOf, type QueueBackend, contractTest } from './fixtures.ts';

/** Receiving while there is nothing to receive. */
export function waitingContract(backend: QueueBackend): void {
  const { capabilities } = backend;
  const it = contractTest(backend);

  describe('those who wait', () => {
    it('are woken by publications, and each gets another message', async ({ fixture }) => {
      const waiting = [...Array.from({ length: 3 }, () => take(fixture.queue)), take(fixture.otherConsumer())];
      for (let i = 0; i < waiting.length; i++) {
        await fixture.enqueuer.publish(String(i));
        await Promise.race(waiting);
      }
      expect((await Promise.all(waiting)).map(textOf).toSorted()).toEqual(['0', '1', '2', '3']);
    });

    it('go away with nothing when they are told to', async ({ fixture }) => {
      const controller = new AbortController();
      const waiting = Array.from({ length: 3 }, () => fixture.queue.receive(controller.signal));
      const patient = take(fixture.queue);
      controller.abort();
      expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
      await fixture.enqueuer.publish('for the patient one');
      expect(textOf(await patient)).toBe('for the patient one');
    });

    it('take nothing if they were told to go before they came', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      expect(await fixture.queue.receive(AbortSignal.abort())).toBeUndefined();
      expect((await take(fixture.queue)).attempt).toBe(capabilities.countsAttempts ? 1 : undefined);
    });

    it('hold nothing when they go, whenever that is', async ({ makeFixture }) => {
      // What is given back has been delivered, for a service.
      const fixture = await makeFixture({ rejects: true, maxDeliveries: 50 });
      const bodies = Array.from({ length: 40 }, (_, i) => String(i));
      for (const body of bodies) await fixture.enqueuer.publish(body);
      const received: string[] = [];
      // Each attempt lasts a little longer than the one before, so that the abort finds it at all its steps.
      for (let turns = 0; turns < bodies.length; turns++) {
        const controller = new AbortController();
        const receiving = fixture.queue.receive(controller.signal);
        for (let turn = 0; turn < turns; turn++) await setImmediate();
        controller.abort();
        const delivery = await receiving;
        if (!delivery) continue;
        received.push(textOf(delivery));
        await delivery.ack();
      }
      const rest = await takeAll(fixture.queue, bodies.length - received.length);
      expect([...received, ...rest.map(textOf)].toSorted()).toEqual(bodies.toSorted());
      await Promise.all(rest.map((delivery) => delivery.ack()));
      await expectEmpty(fixture);
    });
  });
}
