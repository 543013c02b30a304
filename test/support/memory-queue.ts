import { LeaseLost } from '../../common/errors.ts';
import type { Delivery, Enqueuer, TaskQueue } from '../../common/ports/queue.ts';

export interface MemoryQueueOptions {
  /** Default: 10 min. */
  readonly ackDeadlineMs?: number;
  /** Default: 5. */
  readonly maxDeliveries?: number;
  /** Default: the system's. With another, call `wake` after it has moved. */
  readonly clock?: () => Date;
  /** Where rejected bodies go. */
  readonly rejectedTopic?: MemoryQueue;
}

interface Message {
  readonly id: string;
  readonly body: Buffer;
  readonly publishedAt: Date;
  deliveries: number;
  /** Milliseconds since 1970; `undefined` if nobody holds it. */
  expiresAtMs: number | undefined;
}

interface Waiter {
  readonly resolve: (delivery: Delivery | undefined) => void;
}

/** A topic and its subscription in memory, for tests. Passes the contract of `Enqueuer` and `TaskQueue`. */
export class MemoryQueue {
  readonly enqueuer: Enqueuer;
  readonly queue: TaskQueue;
  /** Bodies of messages that were delivered as often as permitted. */
  readonly deadLetters: Uint8Array[] = [];

  readonly #ackDeadlineMs: number;
  readonly #maxDeliveries: number;
  readonly #clock: () => Date;
  readonly #rejectedTopic: MemoryQueue | undefined;
  /** In the order of publication. */
  #messages: Message[] = [];
  #published = 0;
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ ackDeadlineMs, maxDeliveries, clock, rejectedTopic }: MemoryQueueOptions = {}) {
    this.#ackDeadlineMs = ackDeadlineMs ?? 600_000;
    this.#maxDeliveries = maxDeliveries ?? 5;
    this.#clock = clock ?? (() => new Date());
    this.#rejectedTopic = rejectedTopic;
    this.enqueuer = this.#enqueuer();
    this.queue = this.consumer();
  }

  /** Bodies of all messages that are neither acknowledged nor dead letters, held ones too. */
  get bodies(): Uint8Array[] {
    return this.#messages.map(({ body }) => body);
  }

  /** Another consumer of the same subscription. */
  consumer(): TaskQueue {
    const own = new Set<Waiter>();
    return {
      url: 'memory-queue://test',
      ackDeadlineMs: this.#ackDeadlineMs,
      receive: (signal) => this.#receive(own, signal),
      check: async (signal) => signal?.throwIfAborted(),
      [Symbol.asyncDispose]: async () => {
        for (const waiter of own) waiter.resolve(undefined);
      },
    };
  }

  publishBytes(body: Uint8Array): void {
    const id = String(++this.#published);
    const message = { id, body: Buffer.from(body), publishedAt: this.#clock(), deliveries: 0, expiresAtMs: undefined };
    this.#messages.push(message);
    this.wake();
  }

  /** Looks for leases that have expired. */
  wake(): void {
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters) {
      const delivery = this.#take();
      if (!delivery) break;
      waiter.resolve(delivery);
    }
    if (this.#waiters.size > 0) this.#wakeAtNextExpiry();
  }

  #enqueuer(): Enqueuer {
    return {
      url: 'memory-queue://test',
      publish: async (body, signal) => {
        signal?.throwIfAborted();
        this.publishBytes(Buffer.from(body));
      },
      check: async (signal) => signal?.throwIfAborted(),
      create: async (signal) => signal?.throwIfAborted(),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async #receive(own: Set<Waiter>, signal: AbortSignal): Promise<Delivery | undefined> {
    if (signal.aborted) return undefined;
    const { promise, waiter } = this.#newWaiter(own);
    const leave = (): void => waiter.resolve(undefined);
    signal.addEventListener('abort', leave, { once: true });
    this.wake();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #newWaiter(own: Set<Waiter>): { promise: Promise<Delivery | undefined>; waiter: Waiter } {
    let settle: (delivery: Delivery | undefined) => void = () => {};
    const promise = new Promise<Delivery | undefined>((resolve) => {
      settle = resolve;
    });
    const waiter: Waiter = {
      resolve: (delivery) => {
        this.#waiters.delete(waiter);
        own.delete(waiter);
        if (this.#waiters.size === 0) clearTimeout(this.#timer);
        settle(delivery);
      },
    };
    this.#waiters.add(waiter);
    own.add(waiter);
    return { promise, waiter };
  }

  #take(): Delivery | undefined {
    const nowMs = this.#clock().getTime();
    for (const message of [...this.#messages]) {
      if (message.expiresAtMs !== undefined && message.expiresAtMs > nowMs) continue;
      if (message.expiresAtMs === undefined || message.deliveries < this.#maxDeliveries) return this.#deliver(message);
      this.#bury(message);
    }
    return undefined;
  }

  #deliver(message: Message): Delivery {
    const attempt = ++message.deliveries;
    const lease = (): number => this.#clock().getTime() + this.#ackDeadlineMs;
    message.expiresAtMs = lease();
    /** Runs `settle` if this delivery still holds the message. */
    const held =
      (settle: () => void): (() => Promise<void>) =>
      async () => {
        const isHeld = message.expiresAtMs !== undefined && message.deliveries === attempt;
        if (!isHeld || !this.#messages.includes(message)) throw new LeaseLost(`message ${message.id} is not ours`);
        settle();
      };
    const remove = (): void => this.#remove(message);
    const giveBack = (): void => {
      message.expiresAtMs = undefined;
      if (attempt >= this.#maxDeliveries) this.#bury(message);
      this.wake();
    };
    const park = (): void => {
      if (!this.#rejectedTopic) return giveBack();
      this.#rejectedTopic.publishBytes(message.body);
      remove();
    };
    return {
      id: message.id,
      // A copy, as the consumer may write into it.
      body: Buffer.from(message.body),
      attempt,
      publishedAt: message.publishedAt,
      ack: held(remove),
      nack: held(giveBack),
      reject: held(park),
      extend: held(() => {
        message.expiresAtMs = lease();
      }),
    };
  }

  #bury(message: Message): void {
    this.#remove(message);
    this.deadLetters.push(message.body);
  }

  #remove(message: Message): void {
    this.#messages = this.#messages.filter((other) => other !== message);
  }

  #wakeAtNextExpiry(): void {
    const expiries = this.#messages.map(({ expiresAtMs }) => expiresAtMs ?? Infinity);
    const inMs = Math.min(...expiries) - this.#clock().getTime();
    // Longer ones do not fit into a timer, and no test waits for them.
    if (inMs <= 2 ** 31 - 1) this.#timer = setTimeout(() => this.wake(), Math.max(1, inMs));
  }
}

export function memoryQueue(options?: MemoryQueueOptions): MemoryQueue {
  return new MemoryQueue(options);
}
