import type { Output } from '../common/runtime/standard-output.ts';

/** For callers that do not wait for their lines. */
export interface LinePrinter {
  readonly print: (line: string) => void;
  /**
   * Resolves once all lines are with the operating system.
   * @throws what the first line that could not be written failed by
   */
  readonly printed: () => Promise<unknown>;
}

export function linePrinter(output: Output): LinePrinter {
  let last: Promise<unknown> = Promise.resolve();
  return {
    print: (line) => {
      last = last.then(() => output.write(`${line}\n`));
      // Whoever waits for `printed` hears of it.
      last.catch(() => {});
    },
    printed: () => last,
  };
}
