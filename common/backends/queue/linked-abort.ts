/**
 * A signal that is aborted when one of others is, until it is disposed of. Unlike those of `AbortSignal.any`, it leaves
 * nothing with a signal that lives as long as the process.
 */
export class LinkedAbort implements Disposable {
  readonly #controller = new AbortController();
  readonly #signals: readonly AbortSignal[];
  readonly #abort = (event: Event): void => {
    // Listens to signals only.
    this.#controller.abort((event.target as AbortSignal).reason);
  };

  constructor(...signals: readonly AbortSignal[]) {
    this.#signals = signals;
    for (const signal of signals) {
      if (signal.aborted) this.#controller.abort(signal.reason);
      else signal.addEventListener('abort', this.#abort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#abort);
  }
}
