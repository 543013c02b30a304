import { createHash } from 'node:crypto';
import { formatBatchTime } from './batch-time.ts';
import type { Interval } from './interval.ts';
import { uuidBytes } from './uuid.ts';

/** The namespace of trace ids of aggregate tasks. docs/protocol.md, "Trace ids". */
export const AGGREGATE_TRACE_NAMESPACE = '64b2e618-db84-5234-9212-f0b2e5f42756';

/**
 * The trace id of an aggregation task: a version 5 UUID (RFC 9562 §5.5) of the name `AGGREGATION/BEGIN/END`, times as
 * `YYYY/MM/DD/hh/mm`. Both servers of a pair thus log the same one, and every run of a publisher does.
 */
export function aggregateTraceId(aggregationId: string, window: Interval): string {
  const name = `${aggregationId}/${formatBatchTime(window.begin)}/${formatBatchTime(window.end)}`;
  const bytes = createHash('sha1').update(uuidBytes(AGGREGATE_TRACE_NAMESPACE)).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
