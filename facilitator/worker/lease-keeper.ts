import { errorFields, LeaseLost, namedFailure } from '../../common/errors.ts';
import type { Delivery } from '../../common/ports/queue.ts';
import type { Logger } from '../../common/runtime/log.ts';

/** If an extension fails, the next still comes in time. */
const BEATS_PER_DEADLINE = 3;

export type ExtensionListener = (result: 'success' | 'failure') => void;

/**
 * Keeps the lease on a delivery by extending it again and again, from its making until `end`.
 *
 * The lease counts as lost when an extension says so, and when a whole ack deadline has passed since the last one that
 * succeeded, whatever the reason: no connection, or a process that stood still. It needs no clock, as timers that are
 * due after a standstill all fire at its end, before any answer can come in.
 */
export class LeaseKeeper {
  readonly #delivery: Delivery;
  readonly #ackDeadlineMs: number;
  readonly #log: Logger;
  readonly #onExtension: ExtensionListener;
  readonly #lost = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  #expiry: NodeJS.Timeout;
  #extension: Promise<void> | undefined;

  /**
   * @param delivery received just now
   * @param onExtension called after each attempt to extend it
   */
  constructor(delivery: Delivery, ackDeadlineMs: number, log: Logger, onExtension: ExtensionListener = () => {}) {
    this.#delivery = delivery;
    this.#ackDeadlineMs = ackDeadlineMs;
    this.#log = log;
    this.#onExtension = onExtension;
    this.#expiry = this.#expireLater();
    this.#heartbeat = setInterval(() => this.#beat(), ackDeadlineMs / BEATS_PER_DEADLINE);
  }

  /** Aborted with `LeaseLost` once the lease is gone. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Extends no more. Returns when no extension is under way, since one that reaches the queue after the task was given
   * back would hold it for another deadline.
   */
  async end(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#extension;
    clearTimeout(this.#expiry);
  }

  /** One extension at a time. */
  #beat(): void {
    this.#extension ??= this.#extend().finally(() => {
      this.#extension = undefined;
    });
  }

  async #extend(): Promise<void> {
    // Counts from before the call, because the queue counts from some moment within it.
    const renewed = this.#expireLater();
    try {
      await this.#delivery.extend();
    } catch (err) {
      clearTimeout(renewed);
      this.#onExtension('failure');
      const failure = namedFailure(err);
      if (failure instanceof LeaseLost) this.#lose(failure);
      else this.#log.warn(errorFields(err), 'lease could not be extended');
      return;
    }
    clearTimeout(this.#expiry);
    this.#expiry = renewed;
    this.#onExtension('success');
  }

  #expireLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#lose(new LeaseLost(`the lease on task ${this.#delivery.id} ran out: it could not be extended in time`));
    }, this.#ackDeadlineMs);
  }

  #lose(reason: LeaseLost): void {
    clearInterval(this.#heartbeat);
    this.#lost.abort(reason);
  }
}
