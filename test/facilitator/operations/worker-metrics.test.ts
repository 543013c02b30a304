import { describe, expect, it } from 'vitest';
import { workerMetrics } from '../../../facilitator/operations/worker-metrics.ts';
import { memoryMetrics } from '../../support/memory-metrics.ts';

const TASK = { kind: 'intake', attempt: 3 };

describe('the metrics of a worker', () => {
  it('count what it does', () => {
    const metrics = memoryMetrics();
    const observer = workerMetrics(metrics);
    observer.redelivered(TASK);
    observer.taskStarted(TASK);
    observer.taskStarted({ kind: 'intake', attempt: undefined });
    observer.leaseExtended(TASK, 'success');
    observer.leaseExtended(TASK, 'success');
    observer.leaseExtended(TASK, 'failure');
    observer.leaseLost(TASK);
    observer.taskFinished(TASK, { outcome: 'lost', durationMs: 1500, errorCode: 'E_LEASE_LOST' });
    expect(Object.fromEntries([...metrics.values, ...metrics.observed])).toEqual({
      'facilitator_redeliveries_total{task="intake"}': 1,
      'facilitator_tasks_in_hand{task="intake"}': 1,
      'facilitator_lease_extensions_total{result="success",task="intake"}': 2,
      'facilitator_lease_extensions_total{result="failure",task="intake"}': 1,
      'facilitator_leases_lost_total{task="intake"}': 1,
      'facilitator_task_failures_total{error_code="E_LEASE_LOST",task="intake"}': 1,
      'facilitator_task_duration_seconds{outcome="lost",task="intake"}': [1.5],
      'facilitator_task_attempts{outcome="lost",task="intake"}': [3],
    });
  });

  it('know no attempts where the queue does not count, and no failure of what is done', () => {
    const metrics = memoryMetrics();
    const observer = workerMetrics(metrics);
    const task = { kind: 'aggregate', attempt: undefined };
    observer.taskStarted(task);
    observer.taskFinished(task, { outcome: 'ack', durationMs: -5, errorCode: undefined });
    expect(Object.fromEntries([...metrics.values, ...metrics.observed])).toEqual({
      'facilitator_tasks_in_hand{task="aggregate"}': 0,
      'facilitator_task_duration_seconds{outcome="ack",task="aggregate"}': [0],
    });
  });
});
