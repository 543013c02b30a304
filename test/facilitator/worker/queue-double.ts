import type { Delivery, TaskQueue } from '../../../common/ports/queue.ts';

type Settling = 'ack' | 'nack' | 'reject';
type Call = Settling | 'extend';

/** A delivery that notes what is asked of it, and fails where a test wants it to. */
export class DeliveryDouble implements Delivery {
  readonly id: string;
  readonly body: Uint8Array;
  readonly attempt: number | undefined;
  readonly calls: Call[] = [];
  /** What a call does; by default nothing. */
  readonly on: Partial<Record<Call, () => Promise<void>>>;

  constructor(body: string | Uint8Array, on: DeliveryDouble['on'] = {}, id = 'delivery-1', attempt?: number) {
    this.body = typeof body === 'string' ? Buffer.from(body) : body;
    this.on = on;
    this.id = id;
    this.attempt = attempt;
  }

  ack = (): Promise<void> => this.#note('ack');
  nack = (): Promise<void> => this.#note('nack');
  reject = (): Promise<void> => this.#note('reject');
  extend = (): Promise<void> => this.#note('extend');

  async #note(call: Call): Promise<void> {
    this.calls.push(call);
    await this.on[call]?.();
  }
}

type Receipt = Delivery | Error;

/** A queue that gives out, or throws, what a test puts in. */
export class QueueDouble implements TaskQueue {
  readonly url = 'double://tasks';
  readonly ackDeadlineMs = 600_000;
  /** How often `receive` was called. */
  received = 0;
  readonly #waiting: Receipt[];
  #wake: (() => void) | undefined;

  constructor(...receipts: readonly Receipt[]) {
    this.#waiting = [...receipts];
  }

  put(receipt: Receipt): void {
    this.#waiting.push(receipt);
    this.#wake?.();
  }

  async receive(signal: AbortSignal): Promise<Delivery | undefined> {
    this.received++;
    while (this.#waiting.length === 0 && !signal.aborted) {
      const { promise, resolve } = promiseOf();
      this.#wake = resolve;
      signal.addEventListener('abort', resolve, { once: true });
      await promise;
    }
    if (signal.aborted) return undefined;
    const receipt = this.#waiting.shift();
    if (receipt instanceof Error) throw receipt;
    return receipt;
  }

  async check(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A promise and what settles it. */
export function promiseOf(): { promise: Promise<void>; resolve: () => void; reject: (err: Error) => void } {
  let resolve: () => void = () => {};
  let reject: (err: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
