import { describeError } from '../../common/errors.ts';
import type { TaskQueue } from '../../common/ports/queue.ts';
import type { Logger } from '../../common/runtime/log.ts';
import type { WorkerObserver } from './observer.ts';
import { receiveTask } from './receive.ts';
import type { ResultSink } from './result-storage.ts';
import { settleTask, type SettleSetup } from './settle.ts';
import type { Task, TaskKind } from './task-kind.ts';
import { WorkerEnd, type StopSignals, type WorkerEndSettings } from './worker-end.ts';

/** How a worker works, whatever its tasks are. */
export interface WorkerSettings extends WorkerEndSettings {
  /** Name of this worker in results. */
  readonly worker: string;
  /** How many tasks are done at once. */
  readonly poolSize: number;
  readonly taskTimeoutMs: number;
}

export interface WorkerSetup extends WorkerSettings {
  readonly queue: TaskQueue;
  /** Where results go besides the log. */
  readonly results: ResultSink | undefined;
  readonly observer: WorkerObserver;
  readonly clock: () => Date;
  readonly log: Logger;
}

/**
 * Takes tasks from a queue and does them, `poolSize` at once, until it is told to stop, is old enough or has had enough
 * tasks. Tasks that are in hand then are finished and settled; those that are not done within the grace, or by the time
 * that it is told to stop at once, are given back. Whatever a task or the queue does, the worker lives on.
 */
export async function runWorker<T extends Task>(
  kind: TaskKind<T>,
  setup: WorkerSetup,
  signals: StopSignals,
): Promise<void> {
  const { queue, log, worker, poolSize } = setup;
  const end = new WorkerEnd(setup, signals);
  const settling: SettleSetup = { ...setup, ackDeadlineMs: queue.ackDeadlineMs };
  log.info(
    { queue: queue.url, ack_deadline_ms: queue.ackDeadlineMs, worker, pool_size: poolSize, task_kind: kind.name },
    'worker started',
  );
  const workInTurn = async (): Promise<void> => {
    while (end.mayTake()) {
      const delivery = await receiveTask(queue, log, end.receiving);
      if (delivery) await settleTask(delivery, kind, settling, end.working);
    }
  };
  try {
    await Promise.all(Array.from({ length: poolSize }, workInTurn));
  } finally {
    end[Symbol.dispose]();
  }
  log.info({ reason: describeError(end.reason) }, 'worker stopped');
}
