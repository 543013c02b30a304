import { formatBatchTime } from './batch-time.ts';
import type { BatchId } from './batch-path.ts';
import type { Interval } from './interval.ts';

/*
 * Names of what the publisher leaves beside our own validation batches. docs/protocol.md, "Markers and claims".
 * Markers have the reference's names and meaning: the task was published.
 */

export const MARKER_PREFIX = 'task-markers/';
export const CLAIM_PREFIX = 'task-claims/';

const markerTime = (time: Date): string => formatBatchTime(time).replaceAll('/', '-');

export function intakeMarker(aggregationId: string, { id, time }: BatchId): string {
  return `${intakeMarkerPrefix(aggregationId)}${markerTime(time)}-${id}`;
}

/** Also the beginning of markers of aggregations whose id begins with `AGGREGATION-`: compare whole names. */
export function intakeMarkerPrefix(aggregationId: string): string {
  return `${MARKER_PREFIX}intake-${aggregationId}-`;
}

/** The first key that a marker of a batch at or after `time` can have. */
export function intakeMarkersFrom(aggregationId: string, time: Date): string {
  return `${intakeMarkerPrefix(aggregationId)}${markerTime(time)}`;
}

const aggregateName = (aggregationId: string, { begin, end }: Interval): string =>
  `${aggregateNamePrefix(aggregationId)}${markerTime(begin)}-${markerTime(end)}`;

const aggregateNamePrefix = (aggregationId: string): string => `aggregate-${aggregationId}-`;

export function aggregateMarker(aggregationId: string, window: Interval): string {
  return MARKER_PREFIX + aggregateName(aggregationId, window);
}

/** See `intakeMarkerPrefix`. */
export function aggregateMarkerPrefix(aggregationId: string): string {
  return MARKER_PREFIX + aggregateNamePrefix(aggregationId);
}

/** The claim of a window holds its whole task, and is made before the task is published. */
export function aggregateClaim(aggregationId: string, window: Interval): string {
  return CLAIM_PREFIX + aggregateName(aggregationId, window);
}

/** See `intakeMarkerPrefix`. */
export function aggregateClaimPrefix(aggregationId: string): string {
  return CLAIM_PREFIX + aggregateNamePrefix(aggregationId);
}

/** Who publishes tasks of an aggregation now. */
export function leaseKey(aggregationId: string): string {
  return `${CLAIM_PREFIX}${aggregationId}.lease`;
}
