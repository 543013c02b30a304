import { errorFields, LeaseLost, namedFailure, QueueUnavailable } from '../../common/errors.ts';
import type { Delivery } from '../../common/ports/queue.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { WorkerObserver } from './observer.ts';
import { runTask, type TaskEnd, type TaskSetup } from './run-task.ts';
import type { Task, TaskKind } from './task-kind.ts';
import { failureFields, failureOf, resultFields, type Failure, type Outcome } from './task-result.ts';

/** Of a message that is given up, enough to know it again; whoever needs it all finds it in the rejected topic. */
const SHOWN_CHARACTERS = 200;

export interface SettleSetup extends TaskSetup {
  /** How long the queue holds a delivery without `extend`. */
  readonly ackDeadlineMs: number;
  readonly observer: WorkerObserver;
}

/**
 * What has become of a delivery. `lost`: somebody else may have it, and it was left alone. `unsettled`: the queue could
 * not be told, and delivers it again after its deadline.
 */
export type Settled = Outcome | 'unsettled';

const LEVELS = { ack: 'info', nack: 'warn', reject: 'error', lost: 'warn', unsettled: 'warn' } as const;

/**
 * Does the task of a delivery and settles it, the only place where that happens: done, `ack`; failed, by the fate of the
 * error, docs/errors.md. Logs one line `task finished`, which is the task's result. Throws nothing.
 * @param stop aborted with `Stopped` when the task cannot be waited for any longer; it is then given back
 */
export async function settleTask<T extends Task>(
  delivery: Delivery,
  kind: TaskKind<T>,
  setup: SettleSetup,
  stop: AbortSignal,
): Promise<void> {
  const { clock, log, observer } = setup;
  const { id, attempt } = delivery;
  const observed = { kind: kind.name, attempt };
  const startedMs = clock().getTime();
  if (attempt !== undefined && attempt > 1) observer.redelivered?.(observed);
  observer.taskStarted?.(observed);
  const taskLog = log.child({ task_id: id, ...(attempt === undefined ? {} : { attempt }) });
  const lease = new LeaseKeeper(delivery, setup.ackDeadlineMs, taskLog, (result) =>
    observer.leaseExtended?.(observed, result),
  );
  const end = await runTask(delivery, kind, setup, { lease: lease.signal, stop });
  await lease.end();
  const { outcome, failure } = await settle(delivery, end, lease.signal, taskLog);
  if (end.result.outcome === 'reject') taskLog.debug({ body: beginningOf(delivery.body) }, 'message is given up');
  const durationMs = clock().getTime() - startedMs;
  const fields = { ...resultFields(end.result), outcome, ...(failure ? failureFields(failure) : {}) };
  log[LEVELS[outcome]]({ ...fields, duration_ms: durationMs }, 'task finished');
  if (outcome === 'lost') observer.leaseLost?.(observed);
  observer.taskFinished?.(observed, { outcome, durationMs, errorCode: failure?.code });
}

interface Settlement {
  readonly outcome: Settled;
  readonly failure?: Failure | undefined;
}

async function settle(delivery: Delivery, { result }: TaskEnd, lost: AbortSignal, log: Logger): Promise<Settlement> {
  // Whoever has it now settles it, and would have our word taken for theirs.
  if (result.outcome === 'lost' || lost.aborted) return { outcome: 'lost', failure: failureOf(lost.reason) };
  return tell(delivery, result.outcome, result.failure, log);
}

async function tell(
  delivery: Delivery,
  action: Exclude<Outcome, 'lost'>,
  failure: Failure | undefined,
  log: Logger,
): Promise<Settlement> {
  try {
    await delivery[action]();
    return { outcome: action, failure };
  } catch (err) {
    if (namedFailure(err) instanceof LeaseLost) return { outcome: 'lost', failure: failureOf(err) };
    log.error({ action, ...errorFields(err) }, 'queue could not be told what became of the task');
    // A rejected topic that never takes the message is as good as none: it becomes a dead letter.
    if (action === 'reject' && isLasting(err)) return tell(delivery, 'nack', failure, log);
    return { outcome: 'unsettled', failure };
  }
}

/** Whether no repetition helps: there is no such topic, say, or it takes no message of that size. */
function isLasting(err: unknown): boolean {
  const named = namedFailure(err);
  return named !== undefined && !(named instanceof QueueUnavailable);
}

function beginningOf(body: Uint8Array): string {
  // A character has at most four bytes; the last may be cut in two.
  return Buffer.from(body.subarray(0, 4 * SHOWN_CHARACTERS))
    .toString()
    .slice(0, SHOWN_CHARACTERS);
}
