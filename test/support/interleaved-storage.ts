import type { Storage } from '../../common/ports/storage.ts';

/** Lets one execution at a time do its next storage operation, in an order that is given. */
export class Schedule {
  readonly #order: Iterator<number>;
  readonly #waiting = new Map<number, () => void>();
  readonly #running = new Set<number>();

  /** @param order which of the executions goes next; taken modulo those that there are, and round and round */
  constructor(order: readonly number[]) {
    this.#order = endless(order);
  }

  /** Runs all executions to their ends, each given its number, and says how each ended. */
  async run<T>(executions: readonly ((turn: number) => Promise<T>)[]): Promise<PromiseSettledResult<T>[]> {
    executions.forEach((_, turn) => this.#running.add(turn));
    return Promise.allSettled(
      executions.map(async (execute, turn) => {
        try {
          await this.turn(turn);
          return await execute(turn);
        } finally {
          this.#running.delete(turn);
          this.#wakeNext();
        }
      }),
    );
  }

  /** Resolves when it is the execution's turn. */
  turn(execution: number): Promise<void> {
    const turn = new Promise<void>((resolve) => this.#waiting.set(execution, resolve));
    this.#wakeNext();
    return turn;
  }

  /** Nobody goes before all that run have come to their next operation. */
  #wakeNext(): void {
    if (this.#waiting.size < this.#running.size || this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.keys()].sort((a, b) => a - b);
    // Endless, so there is a value; the index is below the length.
    const next = waiting[(this.#order.next().value as number) % waiting.length]!;
    const wake = this.#waiting.get(next)!;
    this.#waiting.delete(next);
    wake();
  }
}

function* endless(order: readonly number[]): Generator<number, never, undefined> {
  for (;;) yield* order.length > 0 ? order : [0];
}

/**
 * `base` as one execution sees it: every operation waits for the execution's turn.
 * @param before called before each operation; throws if the execution is dead
 */
export function interleaved(
  base: Storage,
  schedule: Schedule,
  execution: number,
  before: () => void = () => {},
): Storage {
  const inTurn =
    <A extends unknown[], R>(operation: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await schedule.turn(execution);
      before();
      return operation(...args);
    };
  return {
    url: base.url,
    check: (access, signal) => base.check(access, signal),
    list: (options) => base.list(options),
    listFolder: (options) => base.listFolder(options),
    get: inTurn((key, options) => base.get(key, options)),
    put: inTurn((key, body, options) => base.put(key, body, options)),
    createIfAbsent: inTurn((key, body, options) => base.createIfAbsent(key, body, options)),
    replaceIfUnchanged: inTurn((key, version, body, options) => base.replaceIfUnchanged(key, version, body, options)),
    delete: inTurn((key, options) => base.delete(key, options)),
  };
}
