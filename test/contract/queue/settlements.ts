import { describe, expect } from 'vitest';
import {
  expectEmpty,
  expectNothing,
  expectNothingRejected,
  MAX_DELIVERIES,
  take,
  textOf,
  type QueueBackend,
  contractTest,
  expectDeadLetters,
} from './fixtures.ts';

/** What becomes of messages that are not acknowledged. */
export function settlementContract(backend: QueueBackend): void {
  const { capabilities } = backend;
  const numbered = (attempt: number): number | undefined => (capabilities.countsAttempts ? attempt : undefined);
  const it = contractTest(backend);

  describe('a message given back', () => {
    it('is delivered again at once, to anybody', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      await (await take(fixture.queue)).nack();
      const second = await take(fixture.otherConsumer());
      expect([textOf(second), second.attempt]).toEqual(['task', numbered(2)]);
      await second.nack();
      const third = await take(fixture.queue);
      expect([textOf(third), third.attempt]).toEqual(['task', numbered(3)]);
      await third.ack();
      await expectEmpty(fixture);
    });

    it('goes to somebody who waits', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      const delivery = await take(fixture.queue);
      const waiting = [take(fixture.queue), take(fixture.otherConsumer())];
      await delivery.nack();
      const next = await Promise.race(waiting);
      expect(textOf(next)).toBe('task');
      await fixture.enqueuer.publish('other');
      expect((await Promise.all(waiting)).map(textOf).toSorted()).toEqual(['other', 'task']);
    });
  });

  describe('a message without an end', () => {
    it(`is a dead letter when given back for the ${MAX_DELIVERIES}th time`, async ({ fixture }) => {
      await fixture.enqueuer.publish('poison');
      for (let attempt = 1; attempt <= MAX_DELIVERIES; attempt++) {
        const delivery = await take(fixture.queue);
        expect(delivery.attempt).toBe(numbered(attempt));
        expect(await fixture.deadLetters()).toEqual([]);
        await delivery.nack();
      }
      await expectEmpty(fixture);
      await expectDeadLetters(fixture, ['poison']);
    });

    it(`is a dead letter at the ${MAX_DELIVERIES}th deadline`, async ({ fixture }) => {
      await fixture.enqueuer.publish('poison');
      for (let attempt = 1; attempt <= MAX_DELIVERIES; attempt++) {
        expect(textOf(await take(fixture.queue))).toBe('poison');
        await fixture.advance(fixture.queue.ackDeadlineMs);
      }
      await expectEmpty(fixture);
      await expectDeadLetters(fixture, ['poison']);
    });

    it(`is none when acknowledged at the ${MAX_DELIVERIES}th delivery`, async ({ fixture }) => {
      await fixture.enqueuer.publish('hard');
      for (let attempt = 1; attempt < MAX_DELIVERIES; attempt++) await (await take(fixture.queue)).nack();
      await (await take(fixture.queue)).ack();
      await expectEmpty(fixture);
      expect(await fixture.deadLetters()).toEqual([]);
    });
  });

  describe('a rejected message', () => {
    const bodies = ['"aggregation-id": "Ελλάδα"', ...(capabilities.holdsEmpty ? [''] : [])];
    it.for(bodies)('goes to the rejected topic as it is: %j', async (body, { fixture }) => {
      await fixture.enqueuer.publish(body);
      await (await take(fixture.queue)).reject();
      const parked = await take(fixture.rejected);
      expect([textOf(parked), parked.attempt]).toEqual([body, numbered(1)]);
      await parked.ack();
      await expectEmpty(fixture);
      expect(await fixture.deadLetters()).toEqual([]);
      await expectNothingRejected(fixture);
    });

    it(capabilities.holdsBytes ? 'keeps bytes that are no text' : 'is always text', async ({ fixture }) => {
      const malformed = Buffer.from([0xff, 0x00, 0xc3]);
      if (capabilities.holdsBytes) await fixture.publishBytes?.(malformed);
      else await fixture.enqueuer.publish('text');
      await (await take(fixture.queue)).reject();
      const { body } = await take(fixture.rejected);
      expect([...body]).toEqual([...(capabilities.holdsBytes ? malformed : Buffer.from('text'))]);
    });

    it('is given back where there is no rejected topic, and a dead letter in the end', async ({ makeFixture }) => {
      const fixture = await makeFixture({ rejects: false });
      await fixture.enqueuer.publish('bad');
      for (let attempt = 1; attempt <= MAX_DELIVERIES; attempt++) {
        const delivery = await take(fixture.queue);
        expect([textOf(delivery), delivery.attempt]).toEqual(['bad', numbered(attempt)]);
        await delivery.reject();
      }
      await expectNothing(fixture);
      await expectDeadLetters(fixture, ['bad']);
    });
  });
}
