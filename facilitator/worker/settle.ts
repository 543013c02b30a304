import { errorFields, fateOf, LeaseLost, namedFailure } from '../../common/errors.ts';
import type { Delivery } from '../../common/ports/queue.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { Task, TaskKind } from './task-kind.ts';

/** Of a message that is given up, enough to know it again; whoever needs it all finds it in the rejected topic. */
const SHOWN_CHARACTERS = 200;

export interface SettleSetup {
  /** How long the queue holds a delivery without `extend`. */
  readonly ackDeadlineMs: number;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** What is to become of a delivery, by how its task ended. */
type Verdict = { readonly action: 'ack' } | { readonly action: 'nack' | 'reject'; readonly error: unknown };

/**
 * What has become of a delivery. `lost`: somebody else may have it, and it was left alone. `unsettled`: the queue could
 * not be told, and delivers it again after its deadline.
 */
type Outcome = Verdict['action'] | 'lost' | 'unsettled';

const LEVELS = { ack: 'info', nack: 'warn', reject: 'error', lost: 'warn', unsettled: 'warn' } as const;

/**
 * Does the task of a delivery and settles it, the only place where that happens: done, `ack`; failed, by the fate of the
 * error, docs/errors.md. Logs one line `task finished`. Throws nothing.
 */
export async function settleTask<T extends Task>(
  delivery: Delivery,
  kind: TaskKind<T>,
  { ackDeadlineMs, clock, log: workerLog }: SettleSetup,
): Promise<void> {
  const startedMs = clock().getTime();
  const { attempt } = delivery;
  const log = workerLog.child({ task_id: delivery.id, ...(attempt === undefined ? {} : { attempt }) });
  const lease = new LeaseKeeper(delivery, ackDeadlineMs, log);
  let about: Readonly<Record<string, string>> = {};
  let verdict: Verdict;
  try {
    const task = kind.decode(delivery.body);
    about = { trace_id: task.traceId, ...kind.describe(task) };
    await kind.handle(task, { signal: lease.signal, log: log.child({ trace_id: task.traceId }) });
    verdict = { action: 'ack' };
  } catch (error) {
    verdict = { action: fateOf(error) === 'reject' ? 'reject' : 'nack', error };
  }
  await lease.end();
  const { outcome, error } = await settle(delivery, verdict, lease.signal, log);
  if (verdict.action === 'reject') log.debug({ body: beginningOf(delivery.body) }, 'message is given up');
  const duration_ms = clock().getTime() - startedMs;
  const fields = { ...about, outcome, ...(error === undefined ? {} : errorFields(error)), duration_ms };
  log[LEVELS[outcome]](fields, 'task finished');
}

async function settle(
  delivery: Delivery,
  verdict: Verdict,
  lost: AbortSignal,
  log: Logger,
): Promise<{ readonly outcome: Outcome; readonly error?: unknown }> {
  // Whoever has it now settles it, and would have our word taken for theirs.
  if (lost.aborted) return { outcome: 'lost', error: lost.reason };
  const error = verdict.action === 'ack' ? undefined : verdict.error;
  try {
    await delivery[verdict.action]();
    return { outcome: verdict.action, error };
  } catch (err) {
    if (namedFailure(err) instanceof LeaseLost) return { outcome: 'lost', error: err };
    log.error({ action: verdict.action, ...errorFields(err) }, 'queue could not be told what became of the task');
    return { outcome: 'unsettled', error };
  }
}

function beginningOf(body: Uint8Array): string {
  // A character has at most four bytes; the last may be cut in two.
  return Buffer.from(body.subarray(0, 4 * SHOWN_CHARACTERS))
    .toString()
    .slice(0, SHOWN_CHARACTERS);
}
