import type { Interval } from '../common/domain/interval.ts';
import type { AggregationContext, StageFailure } from './aggregation-context.ts';
import { decidedWindows, latestMarkedEnd, unpublishedClaims } from './claims.ts';
import { publishIntake, type IntakeSummary } from './intake-stage.ts';
import { aggregationWindows, emptyIntakePlan } from './plan.ts';
import type { Published } from './publish.ts';
import { listValidations, nothingInWindows, publishWindows, spanOf, type WindowsSummary } from './window-stage.ts';

/** What a run found and did for one aggregation. */
export interface AggregationSummary extends WindowsSummary {
  /** From the first of the windows to the last. */
  readonly span: Interval;
  readonly intake: IntakeSummary;
  readonly republished: Published;
  /** The end of the latest window whose task was published before this run. */
  readonly latestWindowEnd: Date | undefined;
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
  const span = spanOf(windows);
  const validations = listValidations(context, span);
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
    intake = await publishIntake(context, span);
  });
  await context.attempt('aggregate', async () => {
    // Where the windows are told, or intake failed, they have not been listed.
    const isListed = !settings.override && !context.failures.some(({ stage }) => stage === 'intake');
    const ingestion = isListed ? from(intake.inWindows) : context.batches(ports.ingestion, 'batch', span);
    await publishWindows(context, windows, { listings: { ...validations, ingestion }, decided }, found);
  });
  return {
    ...found,
    oldestUnaggregated: found.oldestUnaggregated ?? intake.oldestBehindWindows,
    span,
    republished,
    latestWindowEnd: latestMarkedEnd(id, decided),
    intake,
    strays: context.strays,
    failures: context.failures,
  };
}

async function* from<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
