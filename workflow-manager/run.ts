import type { PublisherPorts, PublisherSettings } from './aggregation-context.ts';
import { AggregationsFailed } from './errors.ts';
import { scheduleAll, type Run, type Scheduled } from './schedule.ts';

/**
 * One run of the publisher.
 * @throws AggregationsFailed at the end, if any failed; the signal's reason
 */
export async function runPublisher(ports: PublisherPorts, settings: PublisherSettings, run: Run): Promise<Scheduled> {
  const scheduled = await scheduleAll(ports, settings, run);
  if (scheduled.failed.size > 0) {
    throw new AggregationsFailed(
      `aggregations failed: ${[...scheduled.failed.keys()].join(', ')}; the others are done`,
    );
  }
  return scheduled;
}
