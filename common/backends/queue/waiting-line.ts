/** What there is to hand out. Nothing of it is called twice at once. */
export interface Supply<T> {
  /** The next item, now ours; `undefined` if there is none at the moment. */
  take(): Promise<T | undefined>;
  /** Puts back an item that nobody wants any more. */
  putBack(item: T): Promise<void>;
  /** Called after `take` gave nothing: resolves when to look again. */
  idle(): Promise<void>;
  /** Ends the `idle` under way, or the next one. */
  wake(): void;
  /** Nobody waits any more. */
  rest(): void;
}

interface Waiter<T> {
  readonly resolve: (item: T | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/** Those who wait for an item, served in the order in which they came. One loop looks for all of them. */
export class WaitingLine<T> {
  readonly #supply: Supply<T>;
  /** A set keeps the order. */
  readonly #waiters = new Set<Waiter<T>>();
  #running = false;
  /** The look at the supply that is under way, or the last one. */
  #look: Promise<unknown> = Promise.resolve();

  constructor(supply: Supply<T>) {
    this.#supply = supply;
  }

  /**
   * @returns `undefined` once `signal` is aborted, or after `dismiss`; no item is then held for the caller
   * @throws what the supply throws
   */
  async wait(signal: AbortSignal): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    let abort = (): void => {};
    try {
      return await new Promise<T | undefined>((resolve, reject) => {
        const waiter = { resolve, reject };
        abort = () => this.#leave(waiter);
        signal.addEventListener('abort', abort, { once: true });
        this.#waiters.add(waiter);
        if (!this.#running) void this.#run();
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Sends everybody away with `undefined`. */
  async dismiss(): Promise<void> {
    for (const waiter of this.#waiters) this.#leave(waiter);
    await this.#look.catch(() => {});
  }

  #leave(waiter: Waiter<T>): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#supply.wake();
    // An item may just be taken for this waiter: it is then with somebody else, or back, at the end of this look.
    this.#look.then(() => waiter.resolve(undefined), waiter.reject);
  }

  /** Never rejects: failures are for those who wait. */
  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiters.size > 0) {
        const look = this.#serveOne();
        this.#look = look;
        if (!(await look) && this.#waiters.size > 0) await this.#supply.idle();
      }
    } catch (err) {
      for (const waiter of this.#waiters) waiter.reject(err);
      this.#waiters.clear();
    } finally {
      this.#running = false;
      this.#supply.rest();
    }
  }

  /** @returns whether there was an item */
  async #serveOne(): Promise<boolean> {
    const item = await this.#supply.take();
    if (item === undefined) return false;
    const [first] = this.#waiters;
    if (first) {
      this.#waiters.delete(first);
      first.resolve(item);
    } else {
      await this.#supply.putBack(item);
    }
    return true;
  }
}
