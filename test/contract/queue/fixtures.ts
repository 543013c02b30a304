import { expect, test as base, vi, type TestAPI } from 'vitest';
import type { Delivery, Enqueuer, TaskQueue } from '../../../common/ports/queue.ts';

/** Deliveries after which a message is a dead letter, in fixtures that do not say otherwise. */
export const MAX_DELIVERIES = 5;

/** Where services differ. The suite tests either behaviour. */
export interface QueueCapabilities {
  /** Whether settling fails with `LeaseLost` once the lease is gone; otherwise it has no effect. */
  readonly tellsLostLeases: boolean;
  /** Whether deliveries are numbered; otherwise `attempt` is `undefined`. */
  readonly countsAttempts: boolean;
  /** Whether messages come in the order of publication; otherwise in any. */
  readonly ordered: boolean;
  /** Whether the service can hold messages that are no UTF-8; otherwise all are. */
  readonly holdsBytes: boolean;
  /** Whether a message may be empty. */
  readonly holdsEmpty: boolean;
  /** Whether deadlines are the service's own, so that `advance` waits for them. */
  readonly keepsRealTime: boolean;
  /** How many messages a crowd is; fewer for stand-ins that become slow. */
  readonly crowd: number;
}

/** A new, empty topic with its subscription. */
export interface QueueFixture {
  readonly enqueuer: Enqueuer;
  readonly queue: TaskQueue;
  /** Reads the rejected topic, which is there in any case. */
  readonly rejected: TaskQueue;
  deadLetters(): Promise<Uint8Array[]>;
  /** Another consumer of the same subscription, as in another process. */
  otherConsumer(): TaskQueue;
  /** Moves time, for deadlines. */
  advance(ms: number): Promise<void>;
  /** Publishes as another program may; there if the service `holdsBytes`. */
  publishBytes?(body: Uint8Array): Promise<void>;
  /** Closes what it has opened. */
  dispose?(): Promise<void>;
}

export interface FixtureOptions {
  /** Whether `queue` knows of the rejected topic. */
  readonly rejects: boolean;
  /** Default: `MAX_DELIVERIES`. */
  readonly maxDeliveries?: number;
}

export interface QueueBackend {
  readonly capabilities: QueueCapabilities;
  readonly make: (options: FixtureOptions) => Promise<QueueFixture>;
}

interface ContractContext {
  /** Whose `queue` knows of the rejected topic. */
  readonly fixture: QueueFixture;
  readonly makeFixture: QueueBackend['make'];
}

/** `it` for the tests of one backend: each has a fixture of its own, so that they may run at the same time. */
export function contractTest({ make }: QueueBackend): TestAPI<ContractContext> {
  return base.extend<ContractContext>({
    // Vitest looks at the parameter to learn what a fixture needs.
    // oxlint-disable-next-line no-empty-pattern
    makeFixture: async ({}, use) => {
      const made: QueueFixture[] = [];
      await use(async (options) => {
        const fixture = await make(options);
        made.push(fixture);
        return fixture;
      });
      for (const fixture of made) await fixture.dispose?.();
    },
    fixture: async ({ makeFixture }, use) => use(await makeFixture({ rejects: true })),
  });
}

/** A time at which a message is still held, for long enough to see it. */
export function justBefore(ackDeadlineMs: number, { keepsRealTime }: QueueCapabilities): number {
  return keepsRealTime ? ackDeadlineMs / 2 : ackDeadlineMs - 1000;
}

/** So that a test that waits in vain says what for. */
const PATIENCE_MS = 10_000;

/** The next message. */
export async function take(queue: TaskQueue): Promise<Delivery> {
  const delivery = await queue.receive(AbortSignal.timeout(PATIENCE_MS));
  if (!delivery) throw new Error(`no message came within ${PATIENCE_MS} ms`);
  return delivery;
}

export async function takeAll(queue: TaskQueue, count: number): Promise<Delivery[]> {
  return Promise.all(Array.from({ length: count }, () => take(queue)));
}

export function textOf({ body }: Pick<Delivery, 'body'>): string {
  return Buffer.from(body).toString();
}

/** That nothing is available: a message published now comes first. */
export async function expectNothing({ enqueuer, queue }: Pick<QueueFixture, 'enqueuer' | 'queue'>): Promise<void> {
  await enqueuer.publish('last');
  const delivery = await take(queue);
  expect(textOf(delivery)).toBe('last');
  await delivery.ack();
}

/** That nothing is available, and nothing held either. */
export async function expectEmpty(fixture: QueueFixture): Promise<void> {
  await fixture.advance(fixture.queue.ackDeadlineMs);
  await expectNothing(fixture);
}

/** That the rejected topic has nothing: a message rejected now comes first. */
export async function expectNothingRejected({ enqueuer, queue, rejected }: QueueFixture): Promise<void> {
  await enqueuer.publish('last');
  await (await take(queue)).reject();
  const delivery = await take(rejected);
  expect(textOf(delivery)).toBe('last');
  await delivery.ack();
}

/** Services may take a moment to bury a message. */
export async function expectDeadLetters(fixture: QueueFixture, wanted: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    expect((await fixture.deadLetters()).map((body) => Buffer.from(body).toString())).toEqual(wanted);
  }, PATIENCE_MS);
}
