import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, errorFields } from '../../common/errors.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { WorkerEnd, type StopSignals } from './worker-end.ts';

export interface RepeatedWorkSettings {
  /** From the beginning of one time to that of the next; one that takes longer is followed by the next at once. */
  readonly intervalMs: number;
  /** After which the work is not begun again; `undefined` for no limit. */
  readonly maximumLifetimeMs: number | undefined;
  /** How long the work in hand may take once the process is to end. */
  readonly shutdownGraceMs: number;
  readonly log: Logger;
}

/** How one time ended; told, e.g. to be counted. Must not throw. */
export type WorkEnded = (status: 'success' | 'error') => void;

/**
 * Does the same work again and again, whether it fails or not, until it is told to stop or is old enough. A time that is
 * under way then is finished, unless that takes longer than the grace or the process is to end at once.
 * docs/facilitator.md, "Workers".
 * @param work given a signal that is aborted with `Stopped` once it has to end before it is done
 */
export async function repeatWork(
  work: (signal: AbortSignal) => Promise<void>,
  settings: RepeatedWorkSettings,
  signals: StopSignals,
  ended: WorkEnded,
): Promise<void> {
  const { intervalMs, log } = settings;
  const end = new WorkerEnd({ ...settings, maxTasks: undefined }, signals);
  log.info({ interval_ms: intervalMs }, 'worker started');
  try {
    while (end.mayTake()) {
      const pause = pauseOf(intervalMs, end.receiving);
      try {
        await work(end.working);
        ended('success');
      } catch (err) {
        log.error(errorFields(err), 'work failed');
        ended('error');
      }
      await pause;
    }
  } finally {
    end[Symbol.dispose]();
  }
  log.info({ reason: describeError(end.reason) }, 'worker stopped');
}

/** Resolves early when the pause is not to be waited for. */
async function pauseOf(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (err) {
    if (!signal.aborted) throw err;
  }
}
