import { describe, expect } from 'vitest';
import { LeaseLost } from '../../../common/errors.ts';
import type { Delivery } from '../../../common/ports/queue.ts';
import {
  expectEmpty,
  expectNothing,
  expectNothingRejected,
  take,
  textOf,
  type QueueBackend,
  type QueueFixture,
  contractTest,
  justBefore,
} from './fixtures.ts';

/** How long a message is held. */
export function leaseContract(backend: QueueBackend): void {
  const { capabilities } = backend;
  const it = contractTest(backend);

  /** A delivery whose deadline has passed, and the next one of the same message, to somebody else. */
  async function lostAndNext(fixture: QueueFixture): Promise<[Delivery, Delivery]> {
    await fixture.enqueuer.publish('task');
    const lost = await take(fixture.queue);
    await fixture.advance(fixture.queue.ackDeadlineMs);
    return [lost, await take(fixture.otherConsumer())];
  }

  describe('a lease', () => {
    it('ends at the deadline, and the message is delivered to somebody else', async ({ fixture }) => {
      const [, next] = await lostAndNext(fixture);
      expect(textOf(next)).toBe('task');
      expect(next.attempt).toBe(capabilities.countsAttempts ? 2 : undefined);
      await next.ack();
      await expectEmpty(fixture);
    });

    it('wakes those who wait, when it ends', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      await take(fixture.queue);
      const waiting = take(fixture.otherConsumer());
      await fixture.advance(fixture.queue.ackDeadlineMs);
      expect(textOf(await waiting)).toBe('task');
    });

    it('lasts for another deadline from each extension', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      const delivery = await take(fixture.queue);
      const { ackDeadlineMs } = fixture.queue;
      const heldMs = justBefore(ackDeadlineMs, capabilities);
      for (let i = 0; i < 3; i++) {
        await fixture.advance(heldMs);
        await delivery.extend();
      }
      await fixture.advance(heldMs);
      await expectNothing(fixture);
      await fixture.advance(ackDeadlineMs - heldMs);
      const next = await take(fixture.queue);
      expect(next.attempt).toBe(capabilities.countsAttempts ? 2 : undefined);
    });

    it('may be extended and settled at once', async ({ fixture }) => {
      await fixture.enqueuer.publish('task');
      const delivery = await take(fixture.queue);
      await Promise.all([delivery.extend(), delivery.extend(), delivery.ack()]);
      await expectEmpty(fixture);
    });
  });

  describe('a lost lease', () => {
    const told = capabilities.tellsLostLeases ? 'is told by' : 'is not told by';
    it.for(['ack', 'nack', 'reject', 'extend'] as const)(
      `${told} %s, which takes nothing from others`,
      async (method, { fixture }) => {
        const [lost, next] = await lostAndNext(fixture);
        const late = lost[method]();
        if (capabilities.tellsLostLeases) {
          await expect(late).rejects.toThrow(LeaseLost);
          await expect(late).rejects.toThrow(lost.id);
        } else {
          await expect(late).resolves.toBeUndefined();
        }
        // Not for the other either, who holds it; and for all again after the other's deadline.
        await expectNothing(fixture);
        await fixture.advance(fixture.queue.ackDeadlineMs);
        const third = await take(fixture.queue);
        expect(textOf(third)).toBe('task');
        await third.ack();
        await next.ack().catch((err: unknown) => expect(err).toBeInstanceOf(LeaseLost));
        await expectEmpty(fixture);
        if (capabilities.tellsLostLeases) await expectNothingRejected(fixture);
      },
    );

    it(`${capabilities.tellsLostLeases ? 'is also' : 'is not even'} that of a message settled before`, async ({
      fixture,
    }) => {
      await fixture.enqueuer.publish('task');
      const delivery = await take(fixture.queue);
      await delivery.ack();
      for (const again of ['nack', 'ack', 'extend'] as const) {
        const late = delivery[again]();
        if (capabilities.tellsLostLeases) await expect(late).rejects.toThrow(LeaseLost);
        else await expect(late).resolves.toBeUndefined();
      }
      await expectEmpty(fixture);
    });
  });
}
