import { formatBatchTime, parseBatchTime } from './batch-time.ts';
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

const INTAKE_MARKER_REST = /^(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The batch that an intake marker of the aggregation is for; `undefined` for any other name. */
export function parseIntakeMarker(aggregationId: string, key: string): BatchId | undefined {
  const prefix = intakeMarkerPrefix(aggregationId);
  const match = key.startsWith(prefix) ? INTAKE_MARKER_REST.exec(key.slice(prefix.length)) : null;
  if (!match) return undefined;
  const time = parseBatchTime(match.slice(1, 6).join('/'));
  // All groups take part in a match.
  return time && { id: match[6]!, time };
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
