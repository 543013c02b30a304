import pLimit from 'p-limit';
import type { ShowStage } from './progress.ts';

/** One piece of a stage: a process to run, unless its result is there already. */
export interface StageItem {
  /** The result is written last, so where it is, there is nothing left to do. */
  readonly isDone: () => Promise<boolean>;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface StageSettings {
  readonly show: ShowStage;
  /** How many items run at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** For the duration, milliseconds. */
  readonly nowMs: () => number;
}

export interface StageResult {
  readonly name: string;
  readonly seconds: number;
  /** Items that were done before and not repeated. */
  readonly skipped: number;
}

/**
 * Runs what is not done yet of a stage. The first failure stops the others, which have ended when this rejects with it.
 */
export async function runStage(
  name: string,
  items: readonly StageItem[],
  { show, concurrency, signal, nowMs }: StageSettings,
): Promise<StageResult> {
  const begin = nowMs();
  const done = await Promise.all(items.map((item) => item.isDone()));
  const pending = items.filter((_, i) => !done[i]);
  const skipped = items.length - pending.length;
  const progress = show(name, items.length, skipped);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(concurrency);
  try {
    await Promise.allSettled(
      pending.map((item) =>
        limit(async () => {
          either.throwIfAborted();
          await item.run(either);
          progress.advance();
        }).catch((err: unknown) => failed.abort(err)),
      ),
    );
  } finally {
    progress.stop();
  }
  either.throwIfAborted();
  return { name, seconds: (nowMs() - begin) / 1000, skipped };
}
