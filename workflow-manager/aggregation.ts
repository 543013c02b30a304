import type { Interval } from '../common/domain/interval.ts';
import type { AggregationContext, StageFailure } from './aggregation-context.ts';
import { decidedWindows, unpublishedClaims } from './claims.ts';
import { publishIntake, type IntakeSummary } from './intake-stage.ts';
import { aggregationWindows, emptyIntakePlan } from './plan.ts';
import type { Published } from './publish.ts';
import { nothingInWindows, publishWindows, type WindowsSummary } from './window-stage.ts';

/** What a run found and did for one aggregation. */
export interface AggregationSummary extends WindowsSummary {
  /** From the first of the windows to the last. */
  readonly span: Interval;
  readonly intake: IntakeSummary;
  readonly republished: Published;
  /** Names that are no canonical ones; one that is listed twice counts twice. */
  readonly strays: number;
  /** Why stages failed; a task that could not be published is counted in its stage instead. */
  readonly failures: readonly StageFailure[];
}

const nothingPublished: Published = { published: 0, failed: 0 };

/**
 * Publishes what there is to publish for one aggregation: claims left unpublished, then intake, then windows. A stage
 * that fails does not keep the next from its turn.
 * @throws LeaseLost, or the signal's reason
 */
export async function publishAggregation(context: AggregationContext): Promise<AggregationSummary> {
  const { id, ports, settings, signal } = context;
  const windows = aggregationWindows(settings.now, settings);
  const decided = await decidedWindows(ports.ownValidation, id, signal);
  let republished = nothingPublished;
  let intake: IntakeSummary = { ...emptyIntakePlan(), ...nothingPublished };
  const found = nothingInWindows();
  await context.attempt('claims', async () => {
    const claims = unpublishedClaims(ports.ownValidation, id, decided, {
      onUnusable: (error) => void context.failures.push({ stage: 'claims', error }),
      signal,
    });
    republished = await context.publish(ports.aggregateTasks, claims);
  });
  await context.attempt('intake', async () => {
    intake = await publishIntake(context, windows);
  });
  await context.attempt('aggregate', () => publishWindows(context, windows, decided, found));
  return {
    ...found,
    oldestUnaggregated: found.oldestUnaggregated ?? intake.oldestBehindWindows,
    // Windows are never empty.
    span: { begin: windows[0].begin, end: windows.at(-1)!.end },
    republished,
    intake,
    strays: context.strays,
    failures: context.failures,
  };
}
