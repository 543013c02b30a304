import { formatBatchTime } from '../common/domain/batch-time.ts';
import { MINUTE_MS, type Interval } from '../common/domain/interval.ts';
import { intakeMarker, intakeMarkerPrefix, intakeMarkersFrom, parseIntakeMarker } from '../common/domain/marker.ts';
import { encodeIntakeTask } from '../common/domain/task.ts';
import type { AggregationContext } from './aggregation-context.ts';
import { keysFrom } from './listing.ts';
import { logBatches } from './log-batches.ts';
import { emptyIntakePlan, intakeInterval, intakeTasks, type IntakePlan, type Marked } from './plan.ts';
import type { MarkedMessage, Published } from './publish.ts';

export type IntakeSummary = IntakePlan & Published;

/**
 * Publishes an intake task for each batch that is ready and has no marker, and tells of those that became too old for
 * one. These are looked for as far back as the windows of the run go, unless they are told.
 * @param windows the span of all of them
 */
export async function publishIntake(context: AggregationContext, windows: Interval): Promise<IntakeSummary> {
  const { id, ports, settings, log } = context;
  const interval = intakeInterval(settings.now, settings.intakeMaxAgeMs);
  const begin = settings.override || interval.begin < windows.begin ? interval.begin : windows.begin;
  const looked = { begin, end: interval.end };
  const plan = emptyIntakePlan();
  const listings = {
    ingestion: context.batches(ports.ingestion, 'batch', looked),
    markers: intakeMarkers(context, looked),
  };
  const tasks = intakeTasks(id, listings, { interval, windows }, plan);
  const published = await context.publish(ports.intakeTasks, intakeMessages(tasks));
  logBatches(log, plan.missed, 'batches were never taken in and are too old for it now: they are in no sum');
  return { ...plan, ...published };
}

async function* intakeMarkers(
  { id, ports, signal }: AggregationContext,
  { begin, end }: Interval,
): AsyncGenerator<Marked> {
  const range = {
    prefix: intakeMarkerPrefix(id),
    startAt: intakeMarkersFrom(id, begin),
    // Names have whole minutes; the last one that begins before `end` still counts.
    end: intakeMarkersFrom(id, new Date(Math.ceil(end.getTime() / MINUTE_MS) * MINUTE_MS)),
  };
  for await (const key of keysFrom(ports.ownValidation, range, signal)) {
    const batch = parseIntakeMarker(id, key);
    if (batch) yield { batch };
  }
}

async function* intakeMessages(tasks: ReturnType<typeof intakeTasks>): AsyncGenerator<MarkedMessage> {
  for await (const task of tasks) {
    const { id, time } = task.batch;
    yield {
      body: encodeIntakeTask(task),
      marker: intakeMarker(task.aggregationId, task.batch),
      fields: { task: 'intake', trace_id: task.traceId, batch_id: id, batch_time: formatBatchTime(time) },
    };
  }
}
