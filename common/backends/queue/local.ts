import { HOUR_MS } from '../../domain/interval.ts';
import type { Delivery, TaskQueue } from '../../ports/queue.ts';
import { Doorbell } from './doorbell.ts';
import { LocalBacklog } from './local-backlog.ts';
import { LocalDelivery, type DeliveryContext } from './local-delivery.ts';
import { LocalDirectory } from './local-directory.ts';
import type { LocalEnqueuer } from './local-enqueuer.ts';
import { named } from './local-errors.ts';
import type { Lease } from './local-names.ts';
import { WaitingLine } from './waiting-line.ts';

export const DEFAULT_ACK_DEADLINE_MS = 600_000;
export const DEFAULT_MAX_DELIVERIES = 5;
/** As of Amazon SQS. */
export const MAX_ACK_DEADLINE_MS = 12 * HOUR_MS;
/** A lease that ends later was made by a clock that has jumped, not by one that is a little ahead. */
const FARTHEST_EXPIRY_MS = 24 * HOUR_MS;

/** Between two looks at a queue from which no notice comes. */
const POLL_MS = 500;
const MIN_POLL_MS = 10;

export interface LocalTaskQueueOptions {
  /** Made when first received from. */
  readonly directory: string;
  /** Those who share a queue have about the same time. */
  readonly clock: () => Date;
  /** 1 to 12 h; default 10 min. */
  readonly ackDeadlineMs?: number | undefined;
  /** From 1; default 5. */
  readonly maxDeliveries?: number | undefined;
  readonly rejectedTopic?: LocalEnqueuer | undefined;
}

/**
 * Consumes from a directory; see `LocalDirectory`. Of the messages ready the oldest comes first, but for those that
 * others give back while we are at a long queue; a message whose lease has expired comes before them.
 *
 * If the clock jumps ahead, messages in hand are delivered twice; if it jumps back, the messages of consumers that die
 * wait longer, for as long as it jumped or until their leases seem to end in more than 24 h.
 */
export class LocalTaskQueue implements TaskQueue {
  readonly url: string;
  readonly ackDeadlineMs: number;
  readonly #directory: LocalDirectory;
  readonly #clock: () => Date;
  readonly #maxDeliveries: number;
  readonly #backlog: LocalBacklog;
  readonly #doorbell: Doorbell;
  readonly #context: DeliveryContext;
  readonly #line: WaitingLine<LocalDelivery>;
  #pollMs = POLL_MS;

  /** @throws RangeError */
  constructor(options: LocalTaskQueueOptions) {
    const { directory, clock, rejectedTopic } = options;
    this.ackDeadlineMs = whole('ack deadline in milliseconds', options.ackDeadlineMs ?? DEFAULT_ACK_DEADLINE_MS);
    if (this.ackDeadlineMs > MAX_ACK_DEADLINE_MS) throw new RangeError('an ack deadline of more than 12 hours');
    this.#maxDeliveries = whole('number of deliveries', options.maxDeliveries ?? DEFAULT_MAX_DELIVERIES);
    this.#directory = new LocalDirectory(directory);
    this.url = this.#directory.url;
    this.#clock = clock;
    this.#backlog = new LocalBacklog(this.#directory);
    this.#doorbell = new Doorbell(this.#directory.ready);
    this.#context = {
      directory: this.#directory,
      maxDeliveries: this.#maxDeliveries,
      rejectedTopic,
      expiryMs: () => this.#nowMs() + this.ackDeadlineMs,
      onRelease: () => {
        this.#backlog.forget();
        this.#doorbell.ring();
      },
    };
    this.#line = new WaitingLine({
      take: () => named(`receive from ${this.url}`, () => this.#take()),
      putBack: (delivery) => named(`give back to ${this.url}`, () => delivery.undo()),
      idle: () => named(`receive from ${this.url}`, () => this.#idle()),
      wake: () => this.#doorbell.ring(),
      rest: () => this.#doorbell.disarm(),
    });
  }

  receive(signal: AbortSignal): Promise<Delivery | undefined> {
    return this.#line.wait(signal);
  }

  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await named(`use ${this.url}`, () => this.#directory.checkConsuming());
    await this.#context.rejectedTopic?.check(signal);
  }

  /** Ends all waiting. Deliveries that are held stay so. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line.dismiss();
  }

  async #take(): Promise<LocalDelivery | undefined> {
    const expired = await this.#takeExpired();
    if (expired) return expired;
    for await (const message of this.#backlog.candidates()) {
      const lease = await this.#directory.claim(message, this.#context.expiryMs());
      const delivery = lease && (await this.#delivery(lease));
      if (delivery) return delivery;
    }
    return undefined;
  }

  /** Goes through all leases, a few at any time: those expired are taken over or, if that was the last, buried. */
  async #takeExpired(): Promise<LocalDelivery | undefined> {
    const nowMs = this.#nowMs();
    this.#pollMs = POLL_MS;
    for (const held of await this.#directory.leases()) {
      const leftMs = held.expiresAtMs - nowMs;
      if (leftMs > 0 && leftMs <= FARTHEST_EXPIRY_MS) {
        this.#pollMs = Math.max(MIN_POLL_MS, Math.min(this.#pollMs, leftMs));
      } else if (held.deliveries >= this.#maxDeliveries) {
        await this.#directory.bury(held);
      } else {
        const lease = await this.#directory.takeOver(held, this.#context.expiryMs());
        const delivery = lease && (await this.#delivery(lease));
        if (delivery) return delivery;
      }
    }
    return undefined;
  }

  /** @returns `undefined` if the lease is gone again */
  async #delivery(lease: Lease): Promise<LocalDelivery | undefined> {
    try {
      const body = await this.#directory.read(lease);
      return body && new LocalDelivery(this.#context, lease, body);
    } catch (err) {
      // We cannot read it; others may.
      await this.#directory.undo(lease);
      throw err;
    }
  }

  async #idle(): Promise<void> {
    if (!(await this.#doorbell.arm())) await this.#doorbell.wait(this.#pollMs);
  }

  #nowMs(): number {
    return this.#clock().getTime();
  }
}

function whole(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`a ${what} of ${value}: it must be a positive whole number`);
}
