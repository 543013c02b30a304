import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, errorFields } from '../../common/errors.ts';
import type { Delivery, TaskQueue } from '../../common/ports/queue.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { settleTask } from './settle.ts';
import type { Task, TaskKind } from './task-kind.ts';

/** Between two attempts at a queue that fails. */
const PAUSE_MS = 1000;

export interface WorkerSetup {
  readonly queue: TaskQueue;
  /** After which no further task is taken; `undefined` for no limit. At most 2^31 - 1, as timers can no more. */
  readonly maximumLifetimeMs: number | undefined;
  readonly clock: () => Date;
  readonly log: Logger;
}

/**
 * Takes tasks from a queue and does them, one at a time, until `signal` is aborted or the worker is old enough. A task
 * that is in hand then is finished and settled. Whatever a task or the queue does, the worker lives on.
 */
export async function runWorker<T extends Task>(
  kind: TaskKind<T>,
  { queue, maximumLifetimeMs, clock, log }: WorkerSetup,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const stopForSignal = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', stopForSignal);
  if (signal.aborted) stopForSignal();
  const lifetime =
    maximumLifetimeMs === undefined
      ? undefined
      : setTimeout(() => stop.abort(new Error('the maximum lifetime is reached')), maximumLifetimeMs);
  log.info({ queue: queue.url, ack_deadline_ms: queue.ackDeadlineMs }, 'worker started');
  try {
    while (!stop.signal.aborted) {
      const delivery = await receive(queue, log, stop.signal);
      if (delivery) await settleTask(delivery, kind, { ackDeadlineMs: queue.ackDeadlineMs, clock, log });
    }
  } finally {
    clearTimeout(lifetime);
    signal.removeEventListener('abort', stopForSignal);
  }
  log.info({ reason: describeError(stop.signal.reason) }, 'worker stopped');
}

/** @returns `undefined` if there is none: the worker is to stop, or the queue failed a pause ago */
async function receive(queue: TaskQueue, log: Logger, stop: AbortSignal): Promise<Delivery | undefined> {
  try {
    return await queue.receive(stop);
  } catch (err) {
    if (stop.aborted) return undefined;
    log.error(errorFields(err), 'no task could be received; trying again');
  }
  // Ends early, by throwing, when the worker is to stop.
  await sleep(PAUSE_MS, undefined, { signal: stop }).catch(() => {});
  return undefined;
}
