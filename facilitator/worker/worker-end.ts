import { setMaxListeners } from 'node:events';
import { Stopped } from '../../common/errors.ts';

export interface WorkerEndSettings {
  /** After which no further task is taken; `undefined` for no limit. */
  readonly maximumLifetimeMs: number | undefined;
  /** How many tasks are taken; `undefined` for no limit. */
  readonly maxTasks: number | undefined;
  /** How long the tasks in hand may take once the process is to end. */
  readonly shutdownGraceMs: number;
}

/** What asks a worker to end. */
export interface StopSignals {
  /** Aborted when no further task is to be taken. */
  readonly stop: AbortSignal;
  /** Aborted when the tasks in hand are to be given back at once. */
  readonly stopNow: AbortSignal;
}

/**
 * When a worker takes no further task, and when the tasks in hand have to be given back. Milliseconds are at most
 * 2^31 - 1, as timers can no more.
 */
export class WorkerEnd {
  readonly #settings: WorkerEndSettings;
  readonly #receiving = new AbortController();
  readonly #working = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #cleanUp: (() => void)[] = [];
  #taken = 0;

  constructor(settings: WorkerEndSettings, { stop, stopNow }: StopSignals) {
    this.#settings = settings;
    // Each task of the pool listens, and Node would take more than ten for a leak.
    setMaxListeners(0, this.#receiving.signal, this.#working.signal);
    this.#on(stop, () => this.#stop(stop.reason));
    this.#on(stopNow, () => this.#stopNow(stopNow.reason));
    const { maximumLifetimeMs } = settings;
    if (maximumLifetimeMs !== undefined) {
      const reason = new Stopped('the maximum lifetime is reached');
      this.#after(maximumLifetimeMs, () => this.#receiving.abort(reason));
    }
  }

  /** Aborted once no further task is to be taken. */
  get receiving(): AbortSignal {
    return this.#receiving.signal;
  }

  /** Aborted, with `Stopped`, once the tasks in hand are to be given back. */
  get working(): AbortSignal {
    return this.#working.signal;
  }

  /** Why no further task is taken. */
  get reason(): unknown {
    return this.#receiving.signal.aborted
      ? this.#receiving.signal.reason
      : new Stopped(`${this.#taken} tasks were taken, and no more are to be`);
  }

  /** Reserves one of the tasks that may be taken. @returns false if there is none left */
  mayTake(): boolean {
    if (this.receiving.aborted || this.#taken >= (this.#settings.maxTasks ?? Infinity)) return false;
    this.#taken++;
    return true;
  }

  /** Leaves no timer and no listener behind. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const cleanUp of this.#cleanUp) cleanUp();
  }

  #stop(reason: unknown): void {
    this.#receiving.abort(reason);
    const { shutdownGraceMs } = this.#settings;
    this.#after(shutdownGraceMs, () => {
      this.#working.abort(
        new Stopped(`the task was not done within --shutdown-grace, ${shutdownGraceMs / 1000} s`, { cause: reason }),
      );
    });
  }

  #stopNow(reason: unknown): void {
    this.#receiving.abort(reason);
    this.#working.abort(reason);
  }

  #after(ms: number, then: () => void): void {
    this.#timers.push(setTimeout(then, ms));
  }

  #on(signal: AbortSignal, listener: () => void): void {
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
    this.#cleanUp.push(() => signal.removeEventListener('abort', listener));
  }
}
