import { describeError, namedFailure } from '../../common/errors.ts';
import { redact } from '../../common/runtime/redact.ts';
import { scrubSecrets } from '../../common/runtime/scrub.ts';
import { failureChain, type FailureLink } from './failure-chain.ts';
import type { Findings } from './task-kind.ts';

/**
 * How the execution of a task ended, and so what its queue is asked to do: done, `ack`; failed, `nack` (give it back) or
 * `reject`, by the fate of the error; `lost`, nothing, since somebody else may have the task.
 */
export type Outcome = 'ack' | 'nack' | 'reject' | 'lost';

/** The record of one execution of a task. */
export interface TaskResult {
  /** The name of the task's kind. */
  readonly kind: string;
  readonly taskId: string;
  /** Which delivery it was, from 1; `undefined` if the queue does not count. */
  readonly attempt: number | undefined;
  /** What the task is about, as its kind describes it, with `trace_id`; empty if the message was no task. */
  readonly about: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
  readonly failure: Failure | undefined;
  /** Empty if it failed. */
  readonly findings: Findings;
  /** Who did it. */
  readonly worker: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** Why a task failed, without secrets. */
export interface Failure {
  /** docs/errors.md; `E_UNEXPECTED` for any other. */
  readonly code: string;
  /** The messages of the whole chain in one line. */
  readonly text: string;
  readonly chain: readonly FailureLink[];
}

const MAX_TEXT_CHARACTERS = 4000;

export function failureOf(err: unknown): Failure {
  return {
    code: namedFailure(err)?.code ?? 'E_UNEXPECTED',
    text: scrubSecrets(describeError(err)).slice(0, MAX_TEXT_CHARACTERS),
    chain: failureChain(err),
  };
}

/** A failure as fields of log lines and results. */
export function failureFields({ code, text, chain }: Failure): Readonly<Record<string, unknown>> {
  return { error_code: code, error: text, failure: chain };
}

/** Fields in snake_case, as log lines have them and result objects are: docs/facilitator.md, "Results". */
export function resultFields(result: TaskResult): Readonly<Record<string, unknown>> {
  const { kind, taskId, attempt, about, outcome, failure, findings, worker, startedAt, finishedAt } = result;
  return redact({
    ...findings,
    task_kind: kind,
    task_id: taskId,
    ...(attempt === undefined ? {} : { attempt }),
    ...about,
    outcome,
    ...(failure ? failureFields(failure) : {}),
    worker,
    started_at: startedAt.toISOString(),
    finished_at: finishedAt.toISOString(),
    duration_ms: finishedAt.getTime() - startedAt.getTime(),
  });
}
