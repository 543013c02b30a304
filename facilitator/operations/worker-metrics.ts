import type { Metrics } from '../metrics/metrics.ts';
import type { WorkerObserver } from '../worker/observer.ts';

/** Counts what a worker does. To be made once for each process. */
export function workerMetrics(metrics: Metrics): Required<WorkerObserver> {
  const inHand = new Map<string, number>();
  const change = (task: string, by: number): void => {
    const count = (inHand.get(task) ?? 0) + by;
    inHand.set(task, count);
    metrics.set('facilitator_tasks_in_hand', { task }, count);
  };
  return {
    taskStarted: ({ kind }) => change(kind, 1),
    taskFinished: ({ kind: task, attempt }, { outcome, durationMs, errorCode }) => {
      change(task, -1);
      // The clock may have been set back.
      metrics.observe('facilitator_task_duration_seconds', { task, outcome }, Math.max(0, durationMs) / 1000);
      if (attempt !== undefined) metrics.observe('facilitator_task_attempts', { task, outcome }, attempt);
      if (errorCode !== undefined) {
        metrics.increment('facilitator_task_failures_total', { task, error_code: errorCode });
      }
    },
    redelivered: ({ kind }) => metrics.increment('facilitator_redeliveries_total', { task: kind }),
    leaseExtended: ({ kind }, result) =>
      metrics.increment('facilitator_lease_extensions_total', { task: kind, result }),
    leaseLost: ({ kind }) => metrics.increment('facilitator_leases_lost_total', { task: kind }),
  };
}
