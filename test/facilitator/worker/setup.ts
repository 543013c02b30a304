import type { SettleSetup } from '../../../facilitator/worker/settle.ts';
import type { WorkerSetup } from '../../../facilitator/worker/worker.ts';

const TASK_SETUP = {
  worker: 'worker-1',
  taskTimeoutMs: 10_800_000,
  results: undefined,
  observer: {},
  clock: () => new Date(0),
} as const;

/** For `settleTask`: a deadline of 10 min, no result storage, a clock that stands still. */
export function settleSetup(changes: Partial<SettleSetup> & Pick<SettleSetup, 'log'>): SettleSetup {
  return { ...TASK_SETUP, ackDeadlineMs: 600_000, ...changes };
}

/** For `runWorker`: one task at a time, without limits but a grace of 10 min. */
export function workerSetup(changes: Partial<WorkerSetup> & Pick<WorkerSetup, 'log' | 'queue'>): WorkerSetup {
  return {
    ...TASK_SETUP,
    poolSize: 1,
    maxTasks: undefined,
    maximumLifetimeMs: undefined,
    shutdownGraceMs: 600_000,
    ...changes,
  };
}

/** Of a process that is not asked to stop. */
export const NEVER: AbortSignal = new AbortController().signal;
