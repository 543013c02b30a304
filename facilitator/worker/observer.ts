import type { Settled } from './settle.ts';

/** What is told of one delivery of a task. */
export interface ObservedTask {
  /** The name of its kind. */
  readonly kind: string;
  /** Which delivery this is, from 1; `undefined` if the queue does not count. */
  readonly attempt: number | undefined;
}

/** Told what a worker does, e.g. to count it. Must not throw; every method may be missing. */
export interface WorkerObserver {
  taskStarted?(task: ObservedTask): void;
  /** @param end `durationMs` from receipt to settlement; `errorCode` as in docs/errors.md */
  taskFinished?(
    task: ObservedTask,
    end: { readonly outcome: Settled; readonly durationMs: number; readonly errorCode: string | undefined },
  ): void;
  /** The task was delivered before, to whomever. */
  redelivered?(task: ObservedTask): void;
  /** An attempt to extend the lease, which may be lost all the same. */
  leaseExtended?(task: ObservedTask, result: 'success' | 'failure'): void;
  leaseLost?(task: ObservedTask): void;
}
