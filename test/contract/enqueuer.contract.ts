import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationInvalid } from '../../common/errors.ts';
import type { Enqueuer } from '../../common/ports/queue.ts';

/** A new, empty topic with its subscription. */
export interface EnqueuerFixture {
  readonly enqueuer: Enqueuer;
  /** Takes as many messages from the subscription, waiting for them, and acknowledges them. */
  received(count: number): Promise<string[]>;
  /** A topic that is not there; missing where topics come with the first message. */
  readonly absent?: Enqueuer;
  /** A topic that is not there, and can be created; missing where topics are made by other means. */
  readonly creatable?: Omit<EnqueuerFixture, 'absent' | 'creatable'>;
}

const KIB = 1024;
/** Near the limit of Amazon SNS for a whole batch. */
const LARGE_BYTES = 240 * KIB;

/** Registers the contract of `Enqueuer` for one backend. What is opened is disposed of after each test. */
export function enqueuerContract(name: string, make: () => Promise<EnqueuerFixture>): void {
  describe(`${name} enqueuer`, () => {
    let fixture: EnqueuerFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(async () => {
      for (const { enqueuer } of [fixture, fixture.creatable ?? fixture]) await enqueuer[Symbol.asyncDispose]();
      await fixture.absent?.[Symbol.asyncDispose]();
    });

    /** That there is nothing else: a message published now is all that comes. */
    async function expectNothing(): Promise<void> {
      await fixture.enqueuer.publish('last');
      expect(await fixture.received(1)).toEqual(['last']);
    }

    async function expectEachOnce(bodies: readonly string[]): Promise<void> {
      const received = await fixture.received(bodies.length);
      expect(received.length).toBe(bodies.length);
      // Not by `toEqual`: a difference of large texts is nothing to print.
      const wanted = bodies.toSorted();
      expect(received.toSorted().every((body, i) => body === wanted[i])).toBe(true);
      await expectNothing();
    }

    it.each([
      ['text', '{"trace-id":"x"}'],
      ['text in many scripts', 'Zürich, Ελλάδα, 日本, 🐈 & <b> %20+'],
      ['line breaks and quotes', '"a"\r\n\t\\b\n'],
      ['240 KiB', 'ü'.repeat(LARGE_BYTES / 2)],
    ])('publishes a message once and whole: %s', async (_, body) => {
      await fixture.enqueuer.publish(body);
      await expectEachOnce([body]);
    });

    it('publishes nothing but UTF-8', async () => {
      await fixture.enqueuer.publish('a\ud800b');
      expect(await fixture.received(1)).toEqual(['a\ufffdb']);
    });

    it('has stored a message when its publication resolves', async () => {
      for (const body of ['first', 'second', 'third']) {
        await fixture.enqueuer.publish(body);
        expect(await fixture.received(1)).toEqual([body]);
      }
    });

    it('publishes 250 messages at once, each exactly once', async () => {
      const bodies = Array.from({ length: 250 }, (_, i) => `message ${i}`);
      await Promise.all(bodies.map((body) => fixture.enqueuer.publish(body)));
      await expectEachOnce(bodies);
    });

    it('publishes large messages and small ones at once', async () => {
      const large = Array.from({ length: 10 }, (_, i) => String(i).repeat(LARGE_BYTES));
      const bodies = large.flatMap((body, i) => [body, `small ${i}`]);
      await Promise.all(bodies.map((body) => fixture.enqueuer.publish(body)));
      await expectEachOnce(bodies);
    });

    it('publishes nothing if it is aborted before it begins, and tells each call the fate of its own message', async () => {
      const reason = new Error('aborted');
      const fates = await Promise.allSettled([
        fixture.enqueuer.publish('first'),
        fixture.enqueuer.publish('never', AbortSignal.abort(reason)),
        fixture.enqueuer.publish('second', new AbortController().signal),
      ]);
      expect(fates).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason }, { status: 'fulfilled' }]);
      await expectEachOnce(['first', 'second']);
    });

    it('sends what was published before it is disposed of', async () => {
      const published = Promise.all(['a', 'b'].map((body) => fixture.enqueuer.publish(body)));
      await fixture.enqueuer[Symbol.asyncDispose]();
      await published;
      expect((await fixture.received(2)).toSorted()).toEqual(['a', 'b']);
    });

    it('finds a topic that is there usable, and leaves it as it is', async () => {
      await fixture.enqueuer.check();
      await fixture.enqueuer.check(new AbortController().signal);
      await expectNothing();
    });

    it('finds a topic missing, and names it, unless topics come with their first message', async () => {
      const { absent, enqueuer } = fixture;
      if (!absent) {
        await enqueuer.check();
        return;
      }
      for (const use of [() => absent.check(), () => absent.publish('{}')]) {
        await expect(use()).rejects.toThrow(ConfigurationInvalid);
        await expect(use()).rejects.toThrow(absent.url);
      }
    });

    it('creates a topic with its subscription, unless it is there', async () => {
      const { creatable, enqueuer } = fixture;
      if (!creatable) {
        await expect(enqueuer.create()).rejects.toThrow(ConfigurationInvalid);
        await expect(enqueuer.create()).rejects.toThrow(enqueuer.url);
        return;
      }
      await creatable.enqueuer.create();
      await creatable.enqueuer.create();
      await creatable.enqueuer.check();
      await creatable.enqueuer.publish('task');
      expect(await creatable.received(1)).toEqual(['task']);
      await creatable.enqueuer.create();
    });

    it.each(['check', 'create'] as const)('ends with an abort: %s', async (method) => {
      const reason = new Error('aborted');
      await expect(fixture.enqueuer[method](AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}
