import type { StageFailure } from './aggregation-context.ts';
import { fieldsOf, type Scheduled } from './schedule.ts';

export interface RunFailure extends StageFailure {
  /** `undefined` for what is of no aggregation. */
  readonly aggregationId: string | undefined;
}

/** What a run came to. */
export interface RunOutcome extends Omit<Scheduled, 'failed'> {
  readonly failures: readonly RunFailure[];
  /** Jobs deleted; `undefined` if none were looked for. */
  readonly reaped: number | undefined;
  readonly requests: ReadonlyMap<string, number>;
  /** The time that was planned for. */
  readonly now: Date;
  /** Real times. */
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** The run in one line of the log, and for JSON. */
export function summaryOf(outcome: RunOutcome): Readonly<Record<string, unknown>> {
  const { published, held, failures, requests, reaped, startedAt, endedAt } = outcome;
  const totals: Record<string, number> = {};
  for (const summary of published.values()) {
    for (const [name, value] of Object.entries(fieldsOf(summary))) {
      if (typeof value === 'number') totals[name] = (totals[name] ?? 0) + value;
    }
  }
  return {
    aggregations: published.size,
    aggregations_held: held.length,
    failures: failures.length,
    ...totals,
    ...(reaped === undefined ? {} : { jobs_reaped: reaped }),
    storage_requests: Object.fromEntries(requests),
    runtime_seconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
  };
}
