import { describe, expect } from 'vitest';
import {
  expectEmpty,
  expectNothing,
  take,
  takeAll,
  textOf,
  type QueueBackend,
  contractTest,
  justBefore,
} from './fixtures.ts';

/** What is published is received. */
export function deliveryContract(backend: QueueBackend): void {
  const { capabilities } = backend;
  const it = contractTest(backend);

  describe('a message', () => {
    it.for<readonly [name: string, body: string]>([
      ['text', '{"trace-id":"x"}'],
      ['text in many scripts', 'Zürich, Ελλάδα, 日本, 🐈'],
      ['line breaks and quotes', '"a"\r\n\t\\b\n'],
      ['200 KB', '0123456789abcdef'.repeat(12_800)],
    ])('arrives with its exact bytes: %s', async ([, body], { fixture }) => {
      await fixture.enqueuer.publish(body);
      const delivery = await take(fixture.queue);
      expect(Buffer.from(delivery.body).equals(Buffer.from(body))).toBe(true);
      expect(delivery.id).not.toBe('');
      await delivery.ack();
    });

    it(capabilities.holdsBytes ? 'of malformed bytes arrives as it is' : 'is always UTF-8', async ({ fixture }) => {
      const malformed = Buffer.from([0x7b, 0xff, 0x00, 0xc3]);
      if (capabilities.holdsBytes) await fixture.publishBytes?.(malformed);
      else await fixture.enqueuer.publish('\ud800');
      const { body } = await take(fixture.queue);
      expect([...body]).toEqual([...(capabilities.holdsBytes ? malformed : Buffer.from('\ufffd'))]);
    });

    it('is there for a consumer that comes after its publication', async ({ fixture }) => {
      await fixture.enqueuer.publish('early');
      expect(textOf(await take(fixture.otherConsumer()))).toBe('early');
    });

    it('is not delivered again while it is held', async ({ fixture }) => {
      await fixture.enqueuer.publish('held');
      const held = await take(fixture.queue);
      await fixture.advance(justBefore(fixture.queue.ackDeadlineMs, capabilities));
      await expectNothing(fixture);
      await expectNothing({ enqueuer: fixture.enqueuer, queue: fixture.otherConsumer() });
      await held.ack();
    });

    it('is gone once acknowledged', async ({ fixture }) => {
      await fixture.enqueuer.publish('done');
      const delivery = await take(fixture.queue);
      expect(delivery.attempt).toBe(capabilities.countsAttempts ? 1 : undefined);
      await delivery.ack();
      await expectEmpty(fixture);
    });

    it('has an id of its own', async ({ fixture }) => {
      for (const body of ['a', 'b', 'c']) await fixture.enqueuer.publish(body);
      const deliveries = await takeAll(fixture.queue, 3);
      expect(new Set(deliveries.map(({ id }) => id)).size).toBe(3);
    });
  });

  it(`messages come in ${capabilities.ordered ? 'the order of publication' : 'any order'}`, async ({ fixture }) => {
    const bodies = Array.from({ length: 30 }, (_, i) => `message ${i}`);
    for (const body of bodies) await fixture.enqueuer.publish(body);
    const received: string[] = [];
    for (let i = 0; i < bodies.length; i++) received.push(textOf(await take(fixture.queue)));
    expect(capabilities.ordered ? received : received.toSorted()).toEqual(
      capabilities.ordered ? bodies : bodies.toSorted(),
    );
  });
}
