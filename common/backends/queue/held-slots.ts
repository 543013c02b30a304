/** Somebody's place among those who hold a message, or wait for one. */
export interface Slot {
  /** For the next in line. Further calls do nothing. */
  free(): void;
}

/** Lets only so many hold a message at once; the others wait in the order in which they came. */
export class HeldSlots {
  #left: number;
  /** A set keeps the order. */
  readonly #waiting = new Set<(slot: Slot | undefined) => void>();

  /** @throws RangeError unless `count` is a whole number from 1 */
  constructor(count: number) {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`a pool of ${count}: it must be 1 or more`);
    this.#left = count;
  }

  /** @returns `undefined` once `signal` is aborted */
  async take(signal: AbortSignal): Promise<Slot | undefined> {
    if (signal.aborted) return undefined;
    if (this.#left > 0) {
      this.#left--;
      return this.#slot();
    }
    let leave = (): void => {};
    try {
      return await new Promise<Slot | undefined>((resolve) => {
        leave = () => {
          this.#waiting.delete(resolve);
          resolve(undefined);
        };
        this.#waiting.add(resolve);
        signal.addEventListener('abort', leave, { once: true });
      });
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #slot(): Slot {
    let isTaken = true;
    return {
      free: () => {
        if (!isTaken) return;
        isTaken = false;
        const [next] = this.#waiting;
        if (!next) {
          this.#left++;
          return;
        }
        this.#waiting.delete(next);
        next(this.#slot());
      },
    };
  }
}
