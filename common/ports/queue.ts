/** Where tasks are published: a topic. Every implementation passes `test/contract/queue.contract.ts`. */
export interface Enqueuer extends AsyncDisposable {
  /** For logs and errors, never with credentials. */
  readonly url: string;

  /**
   * Publishes one message. Any number of calls may be under way; each tells the fate of its own message.
   * Resolves once the queue has stored the message for good: only then may its marker be written.
   * @param body UTF-8
   * @throws QueueUnavailable, PermissionDenied, ConfigurationInvalid if there is no such topic
   */
  publish(body: string, signal?: AbortSignal): Promise<void>;

  /**
   * Whether the topic can be used at all, as far as that shows without changing anything.
   * @throws ConfigurationInvalid, PermissionDenied
   */
  check(signal?: AbortSignal): Promise<void>;

  /**
   * Creates the topic, with a subscription of the same name, unless it is there.
   * @throws ConfigurationInvalid if topics of this kind are made by other means; QueueUnavailable, PermissionDenied
   */
  create(signal?: AbortSignal): Promise<void>;
}

/**
 * One delivery of a message to one consumer, who holds it until the ack deadline: a lease. It is settled once, by
 * `ack`, `nack` or `reject`; unsettled, it is delivered again after the deadline, possibly to somebody else.
 *
 * Every method throws `LeaseLost` if the lease is known to be gone (not every service tells), and `QueueUnavailable`
 * if the service failed.
 */
export interface Delivery {
  /** For logs. */
  readonly id: string;
  /** As published; nothing vouches for its form. */
  readonly body: Uint8Array;
  /** Which delivery of the message this is, from 1; `undefined` if the service does not count. */
  readonly attempt: number | undefined;
  /** When the message was published, by the service's clock; `undefined` or absent if the service does not tell. */
  readonly publishedAt?: Date | undefined;

  /** Done: the message is not delivered again. */
  ack(): Promise<void>;

  /** Give it back: it is delivered again at once, or dead-lettered after the last permitted delivery. */
  nack(): Promise<void>;

  /**
   * No repetition can help: the body goes to the rejected topic, then the message is acknowledged. Where there is no
   * rejected topic, as `nack`, so that nothing is lost.
   */
  reject(): Promise<void>;

  /** Moves the deadline to a whole ack deadline from now. */
  extend(): Promise<void>;
}

/** Where tasks are taken from: a subscription. Every implementation passes `test/contract/queue.contract.ts`. */
export interface TaskQueue extends AsyncDisposable {
  /** For logs and errors, never with credentials. */
  readonly url: string;

  /** How long a delivery is held without `extend`. */
  readonly ackDeadlineMs: number;

  /**
   * Waits for a message. Several calls may wait at once; each gets another message.
   * @returns `undefined` once `signal` is aborted; no message is then held
   * @throws QueueUnavailable, PermissionDenied
   */
  receive(signal: AbortSignal): Promise<Delivery | undefined>;

  /** As `Enqueuer.check`. */
  check(signal?: AbortSignal): Promise<void>;
}
