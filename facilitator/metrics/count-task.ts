import { fateOf } from '../../common/errors.ts';
import type { LabelsOf, Metrics } from './metrics.ts';

const NAMES = {
  intake: { started: 'facilitator_intake_tasks_started', finished: 'facilitator_intake_tasks_finished' },
  aggregate: { started: 'facilitator_aggregate_tasks_started', finished: 'facilitator_aggregate_tasks_finished' },
} as const;

/** Does the work of a task, and counts that it was begun and how it ended. */
export async function countTask<T>(
  metrics: Metrics,
  task: keyof typeof NAMES,
  aggregationId: string,
  work: () => Promise<T>,
): Promise<T> {
  const { started, finished } = NAMES[task];
  const end = (status: LabelsOf<typeof finished>['status']): void =>
    metrics.increment(finished, { status, aggregation_id: aggregationId });
  metrics.increment(started, { aggregation_id: aggregationId });
  try {
    const result = await work();
    end('success');
    return result;
  } catch (err) {
    end(fateOf(err) === 'reject' ? 'rejected' : 'error');
    throw err;
  }
}
