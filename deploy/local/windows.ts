import { HOUR_MS, type Interval } from '../../common/domain/interval.ts';

/** Length of the deployment's windows, and how long after their end they are summed. */
export const PERIOD_MS = HOUR_MS;
export const GRACE_MS = HOUR_MS;

/** The latest window that is due at `now`. */
export function latestDueWindow(now: Date): Interval {
  const end = new Date(Math.floor((now.getTime() - GRACE_MS) / PERIOD_MS) * PERIOD_MS);
  return { begin: new Date(end.getTime() - PERIOD_MS), end };
}

/**
 * Right after a window: its batches have arrived, and the window that is due is the one before. The publisher plans as
 * of this time until all batches are taken in, so that the window's claim lists them all.
 */
export const whenBatchesAreIn = ({ end }: Interval): Date => end;

/** The window is due. */
export const whenWindowIsDue = ({ end }: Interval): Date => new Date(end.getTime() + GRACE_MS);
