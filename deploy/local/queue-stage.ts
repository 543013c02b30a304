import { setTimeout as sleep } from 'node:timers/promises';
import type { StageItem, StageResult, StageSettings } from './stage.ts';

/** Between two looks at what has been done. */
const LOOK_EVERY_MS = 100;
/** Between two runs of the publisher; a CronJob has minutes. */
const PUBLISH_EVERY_MS = 2000;

export interface QueueStage {
  readonly name: string;
  /** What the workers are to do; they are not run from here. */
  readonly items: readonly Pick<StageItem, 'isDone'>[];
  /** Runs the publishers, once. */
  readonly publish: (signal: AbortSignal) => Promise<void>;
  /** Throws if something can never be done. */
  readonly check: () => Promise<void>;
  /** Whether the workers have nothing to do. */
  readonly isIdle: () => Promise<boolean>;
  /** After so long without anything to do, nothing will ever come: no publisher is kept from its work that long. */
  readonly patienceMs: number;
}

/**
 * Has tasks published, again and again, until workers have done everything.
 * @throws Error if items are not done although there is nothing left to do
 */
export async function runQueueStage(
  { name, items, publish, check, isIdle, patienceMs }: QueueStage,
  { show, signal, nowMs }: Omit<StageSettings, 'concurrency'>,
): Promise<StageResult> {
  const begin = nowMs();
  let pending = await notDone(items);
  const skipped = items.length - pending.length;
  const progress = show(name, items.length, skipped);
  let publishedAtMs = -Infinity;
  let busyAtMs = begin;
  try {
    while (pending.length > 0) {
      signal.throwIfAborted();
      if (nowMs() - publishedAtMs >= PUBLISH_EVERY_MS) {
        await check();
        await publish(signal);
        publishedAtMs = nowMs();
      }
      const left = await notDone(pending);
      if (left.length < pending.length || !(await isIdle())) busyAtMs = nowMs();
      else if (nowMs() - busyAtMs > patienceMs) throw nothingComes(name, left.length);
      for (let i = left.length; i < pending.length; i++) progress.advance();
      pending = left;
      await pause(signal);
    }
  } finally {
    progress.stop();
  }
  return { name, seconds: (nowMs() - begin) / 1000, skipped };
}

function nothingComes(name: string, missing: number): Error {
  return new Error(
    `${name}: ${missing} results are missing, but no task is left: outputs were removed after their tasks had been marked as published; start again in another --directory`,
  );
}

async function pause(signal: AbortSignal): Promise<void> {
  // The signal's own reason says more than that a timer was aborted.
  await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
}

async function notDone<T extends Pick<StageItem, 'isDone'>>(items: readonly T[]): Promise<T[]> {
  const done = await Promise.all(items.map((item) => item.isDone()));
  return items.filter((_, i) => !done[i]);
}
