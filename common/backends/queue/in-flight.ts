/** The calls under way, so that what they use is closed after them. */
export class InFlight {
  readonly #calls = new Set<Promise<unknown>>();

  async run<T>(call: () => Promise<T>): Promise<T> {
    const promise = call();
    this.#calls.add(promise);
    try {
      return await promise;
    } finally {
      this.#calls.delete(promise);
    }
  }

  /** Resolves once none is under way, whatever became of them. */
  async settled(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
  }
}
