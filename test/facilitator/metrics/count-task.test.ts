import { describe, expect, it } from 'vitest';
import { LeaseLost, StorageUnavailable, TaskMalformed } from '../../../common/errors.ts';
import { countTask } from '../../../facilitator/metrics/count-task.ts';
import { memoryMetrics } from '../../support/memory-metrics.ts';

describe('a task', () => {
  it('is counted when it begins and when it has succeeded, and gives its result', async () => {
    const metrics = memoryMetrics();
    const result = await countTask(metrics, 'intake', 'agg', async () => {
      expect(metrics.of('facilitator_intake_tasks_finished')).toEqual({});
      return 7;
    });
    expect(result).toBe(7);
    expect(Object.fromEntries(metrics.values)).toEqual({
      'facilitator_intake_tasks_started{aggregation_id="agg"}': 1,
      'facilitator_intake_tasks_finished{aggregation_id="agg",status="success"}': 1,
    });
  });

  it.each([
    ['error', new StorageUnavailable('down')],
    ['error', new LeaseLost('gone')],
    ['error', new Error('a bug')],
    ['rejected', new TaskMalformed('no JSON')],
  ])('is counted as %s when it fails by %s', async (status, failure) => {
    const metrics = memoryMetrics();
    const work = countTask(metrics, 'aggregate', 'agg', () => Promise.reject(failure));
    await expect(work).rejects.toBe(failure);
    expect(metrics.of('facilitator_aggregate_tasks_finished')).toEqual({
      [`facilitator_aggregate_tasks_finished{aggregation_id="agg",status="${status}"}`]: 1,
    });
  });
});
