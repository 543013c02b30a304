import { LeaseLost } from '../../errors.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { LocalDirectory } from './local-directory.ts';
import type { LocalEnqueuer } from './local-enqueuer.ts';
import { named } from './local-errors.ts';
import { publishedAtOf, type Lease } from './local-names.ts';

/** What all deliveries of one consumer share. */
export interface DeliveryContext {
  readonly directory: LocalDirectory;
  readonly maxDeliveries: number;
  readonly rejectedTopic: LocalEnqueuer | undefined;
  /** When a lease taken now ends, in milliseconds since 1970. */
  readonly expiryMs: () => number;
  /** A message is available again. */
  readonly onRelease: () => void;
}

/** One file in `leased`. Its calls are done one after the other, so that an `ack` finds what an `extend` renamed. */
export class LocalDelivery implements Delivery {
  readonly id: string;
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly publishedAt: Date | undefined;
  readonly #context: DeliveryContext;
  #lease: Lease;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: DeliveryContext, lease: Lease, body: Uint8Array) {
    this.#context = context;
    this.#lease = lease;
    this.id = lease.name;
    this.attempt = lease.deliveries;
    this.publishedAt = publishedAtOf(lease);
    this.body = body;
  }

  ack(): Promise<void> {
    return this.#afterLast('acknowledge', () => this.#ack());
  }

  nack(): Promise<void> {
    return this.#afterLast('give back', () => this.#nack());
  }

  /** A crash between publishing and acknowledging costs a repetition: the rejected topic then has the body twice. */
  reject(): Promise<void> {
    return this.#afterLast('reject', async () => {
      const { rejectedTopic } = this.#context;
      if (!rejectedTopic) return this.#nack();
      // Whoever has it now will reject it himself.
      await this.#extend();
      await rejectedTopic.publish(this.body);
      await this.#ack();
    });
  }

  extend(): Promise<void> {
    return this.#afterLast('extend the lease of', () => this.#extend());
  }

  /** For a delivery that nobody got. */
  async undo(): Promise<void> {
    await this.#context.directory.undo(this.#lease);
    this.#context.onRelease();
  }

  async #ack(): Promise<void> {
    this.#held(await this.#context.directory.remove(this.#lease));
  }

  async #nack(): Promise<void> {
    const { directory, maxDeliveries, onRelease } = this.#context;
    const isLast = this.attempt >= maxDeliveries;
    this.#held(await (isLast ? directory.bury(this.#lease) : directory.release(this.#lease)));
    if (!isLast) onRelease();
  }

  async #extend(): Promise<void> {
    const { directory, expiryMs } = this.#context;
    const renewed = await directory.renew(this.#lease, expiryMs());
    this.#held(renewed !== undefined);
    this.#lease = renewed ?? this.#lease;
  }

  #held(held: boolean): void {
    if (held) return;
    throw new LeaseLost(
      `message ${this.id} of ${this.#context.directory.url} is no longer ours: it was settled, or its deadline passed`,
    );
  }

  #afterLast(action: string, io: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => named(`${action} message ${this.id} of ${this.#context.directory.url}`, io));
    // A failure of one call is not the next one's.
    this.#last = done.catch(() => {});
    return done;
  }
}
