import { LeaseLost } from '../../errors.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { Slot } from './held-slots.ts';

/**
 * What a service does for the holder of one message. Each throws `LeaseLost` if the service says so, `QueueUnavailable`,
 * `PermissionDenied` or `ConfigurationInvalid`.
 */
export interface Lease {
  acknowledge(): Promise<void>;
  giveBack(): Promise<void>;
  /** For a whole ack deadline from some moment within the call. */
  extend(): Promise<void>;
  /** Publishes the body to the rejected topic. */
  readonly park?: (() => Promise<void>) | undefined;
}

export interface LeasedDeliveryOptions {
  readonly id: string;
  readonly body: Uint8Array;
  readonly attempt: number | undefined;
  readonly publishedAt: Date | undefined;
  /** Of the queue, for messages. */
  readonly url: string;
  readonly ackDeadlineMs: number;
  readonly lease: Lease;
  /** Freed when the message is settled, or the lease on it is over. */
  readonly slot: Slot;
}

/**
 * A delivery of a service that does not always tell that a lease is over, and may take a late word for that of whoever
 * holds the message by then. Hence it keeps the time itself, and asks the service for nothing once the deadline has
 * passed. That needs no clock: timers that are due after a standstill of the process fire at its end.
 *
 * Its calls are done one after the other, so that no extension reaches the service after the message was given back.
 */
export class LeasedDelivery implements Delivery {
  readonly id: string;
  readonly body: Uint8Array;
  readonly attempt: number | undefined;
  readonly publishedAt: Date | undefined;
  readonly #url: string;
  readonly #ackDeadlineMs: number;
  readonly #lease: Lease;
  readonly #slot: Slot;
  #isOver = false;
  #expiry: NodeJS.Timeout;
  #last: Promise<unknown> = Promise.resolve();

  /** To be made as soon as the service has handed out the message. */
  constructor({ id, body, attempt, publishedAt, url, ackDeadlineMs, lease, slot }: LeasedDeliveryOptions) {
    this.id = id;
    this.body = body;
    this.attempt = attempt;
    this.publishedAt = publishedAt;
    this.#url = url;
    this.#ackDeadlineMs = ackDeadlineMs;
    this.#lease = lease;
    this.#slot = slot;
    this.#expiry = this.#expireLater();
  }

  ack(): Promise<void> {
    return this.#afterLast(() => this.#settle(() => this.#lease.acknowledge()));
  }

  nack(): Promise<void> {
    return this.#afterLast(() => this.#settle(() => this.#lease.giveBack()));
  }

  /** A crash between publishing and acknowledging costs a repetition: the rejected topic then has the body twice. */
  reject(): Promise<void> {
    return this.#afterLast(() => this.#settle(() => this.#reject()));
  }

  extend(): Promise<void> {
    return this.#afterLast(() => this.#extend());
  }

  async #reject(): Promise<void> {
    const { park } = this.#lease;
    if (!park) return this.#lease.giveBack();
    // Whoever has it now, if we have not, rejects it himself; and publishing has all the time that there is.
    await this.#extend();
    await park();
    await this.#lease.acknowledge();
  }

  async #extend(): Promise<void> {
    // From before the call, because the service counts from some moment within it.
    const renewed = this.#expireLater();
    try {
      await this.#lease.extend();
    } catch (err) {
      clearTimeout(renewed);
      if (err instanceof LeaseLost) this.#end();
      throw err;
    }
    if (this.#isOver) {
      clearTimeout(renewed);
      throw leaseLost(this.id, this.#url);
    }
    clearTimeout(this.#expiry);
    this.#expiry = renewed;
  }

  async #settle(settle: () => Promise<void>): Promise<void> {
    try {
      await settle();
      this.#end();
    } catch (err) {
      if (err instanceof LeaseLost) this.#end();
      throw err;
    } finally {
      // After a failure the message is still ours to settle; but nobody works on it any more.
      this.#slot.free();
    }
  }

  #expireLater(): NodeJS.Timeout {
    // Holds no process up.
    return setTimeout(() => this.#end(), this.#ackDeadlineMs).unref();
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#expiry);
    this.#slot.free();
  }

  #afterLast(io: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => {
      if (this.#isOver) throw leaseLost(this.id, this.#url);
      return io();
    });
    // A failure of one call is not the next one's.
    this.#last = done.catch(() => {});
    return done;
  }
}

/** @param cause what the service said, if it was the service that said so */
export function leaseLost(id: string, url: string, cause?: unknown): LeaseLost {
  const what = `message ${id} of ${url} is no longer ours: it was settled, or its deadline passed`;
  return new LeaseLost(what, cause === undefined ? {} : { cause });
}
