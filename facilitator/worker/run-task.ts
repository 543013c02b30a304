import { errorFields, fateOf } from '../../common/errors.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { ResultUnwritten, TaskTimedOut } from '../errors.ts';
import { doBounded, type Stopper } from './bounded.ts';
import type { ResultSink } from './result-storage.ts';
import type { Findings, Task, TaskContext, TaskKind } from './task-kind.ts';
import { failureOf, type Outcome, type TaskResult } from './task-result.ts';

/** A task as it came, from a queue or from a file. */
export interface TaskMessage {
  /** For logs and results. */
  readonly id: string;
  readonly body: Uint8Array;
  /** Which delivery this is, from 1; `undefined` if that is not known. */
  readonly attempt: number | undefined;
  /** As of `Delivery`. */
  readonly publishedAt?: Date | undefined;
}

/** What every execution needs, whatever its task is. */
export interface TaskSetup {
  /** Name of this worker in results. */
  readonly worker: string;
  readonly taskTimeoutMs: number;
  /** Where results go besides the log. */
  readonly results: ResultSink | undefined;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** What may end an execution besides its time-out. */
export interface TaskStops {
  /** Aborted with `LeaseLost` once the task may be somebody else's. */
  readonly lease?: AbortSignal | undefined;
  /** Aborted with `Stopped` when the process cannot wait any longer. */
  readonly stop: AbortSignal;
}

/** How an execution ended; `error` is there if the task failed. */
export interface TaskEnd {
  readonly result: TaskResult;
  readonly error?: unknown;
}

/** For a task to notice that it was told to end: requests are aborted, computations look every few milliseconds. */
const PATIENCE_MS = 30_000;
/** The same when the process is about to end. */
const PATIENCE_AT_STOP_MS = 3000;
const RESULT_TIMEOUT_MS = 60_000;

/**
 * Executes a task and hands its result on, whether there is a queue or not: `execute`, then `onAfterExecute`. Throws
 * nothing.
 */
export async function runTask<T extends Task>(
  message: TaskMessage,
  kind: TaskKind<T>,
  setup: TaskSetup,
  stops: TaskStops,
): Promise<TaskEnd> {
  const startedAt = setup.clock();
  const log = setup.log.child({
    task_id: message.id,
    ...(message.attempt === undefined ? {} : { attempt: message.attempt }),
  });
  let about: Readonly<Record<string, string>> = {};
  let end: { findings: Findings; error?: { readonly value: unknown } };
  try {
    const task = kind.decode(message.body);
    about = { trace_id: task.traceId, ...kind.describe(task) };
    const context = { log: log.child({ trace_id: task.traceId }), publishedAt: message.publishedAt };
    end = { findings: await execute(task, kind, context, setup.taskTimeoutMs, stops) };
  } catch (value) {
    end = { findings: {}, error: { value } };
  }
  const { lease } = stops;
  if (lease?.aborted) end = { findings: end.findings, error: { value: lease.reason as unknown } };
  const { findings, error } = end;
  const result: TaskResult = {
    kind: kind.name,
    taskId: message.id,
    attempt: message.attempt,
    about,
    outcome: outcomeOf(error, lease),
    failure: error && failureOf(error.value),
    findings,
    worker: setup.worker,
    startedAt,
    finishedAt: setup.clock(),
  };
  return onAfterExecute({ result, ...(error ? { error: error.value } : {}) }, { ...setup, log }, stops.stop);
}

function outcomeOf(error: { readonly value: unknown } | undefined, lease: AbortSignal | undefined): Outcome {
  if (lease?.aborted) return 'lost';
  if (!error) return 'ack';
  return fateOf(error.value) === 'reject' ? 'reject' : 'nack';
}

function execute<T extends Task>(
  task: T,
  kind: TaskKind<T>,
  context: Omit<TaskContext, 'signal'>,
  taskTimeoutMs: number,
  { lease, stop }: TaskStops,
): Promise<Findings> {
  const stoppers: Stopper[] = [{ signal: stop, patienceMs: PATIENCE_AT_STOP_MS }];
  if (lease) stoppers.push({ signal: lease, patienceMs: PATIENCE_MS });
  return doBounded((signal) => kind.execute(task, { ...context, signal }), {
    timeoutMs: taskTimeoutMs,
    timedOut: () => new TaskTimedOut(`the task took longer than --task-timeout, ${taskTimeoutMs / 1000} s`),
    patienceMs: PATIENCE_MS,
    stoppers,
    onAbandoned: () =>
      context.log.error('task does not end though it was told to; it is left behind, and can write nothing'),
  });
}

/**
 * Writes the result where results go. It is written before the task is settled, so that none vanishes: a task whose
 * result cannot be written is given back.
 */
async function onAfterExecute(end: TaskEnd, { results, log }: TaskSetup, stop: AbortSignal): Promise<TaskEnd> {
  // A task that ended because the process does says nothing of itself, and there is no time.
  if (!results || (stop.aborted && end.result.outcome !== 'ack')) return end;
  try {
    await doBounded((signal) => results.write(end.result, signal), {
      timeoutMs: RESULT_TIMEOUT_MS,
      timedOut: () => new Error(`no answer within ${RESULT_TIMEOUT_MS / 1000} s`),
      patienceMs: 0,
      stoppers: [{ signal: stop, patienceMs: 0 }],
      onAbandoned: () => {},
    });
    return end;
  } catch (cause) {
    log.error(
      { results: results.url, ...errorFields(cause) },
      'result could not be written; the task is not taken for done',
    );
    return unwritten(end, results, cause);
  }
}

function unwritten({ result, error }: TaskEnd, results: ResultSink, cause: unknown): TaskEnd {
  if (result.outcome === 'lost') return { result, error };
  // What failed before is what there is to tell.
  if (result.outcome !== 'ack') return { result: { ...result, outcome: 'nack' }, error };
  const failure = new ResultUnwritten(`the task is done, but its result could not be written to ${results.url}`, {
    cause,
  });
  return { result: { ...result, outcome: 'nack', failure: failureOf(failure) }, error: failure };
}
