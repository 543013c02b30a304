import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AGGREGATE_TRACE_NAMESPACE, aggregateTraceId } from '../../../common/domain/trace-id.ts';

const window = (begin: string, end: string): { begin: Date; end: Date } => ({
  begin: new Date(begin),
  end: new Date(end),
});

// Computed by Python: uuid.uuid5(uuid.UUID(namespace), 'AGG/2026/11/20/09/00/2026/11/20/12/00'), and so on.
it.each([
  ['AGG', window('2026-11-20T09:00Z', '2026-11-20T12:00Z'), '8ab80b06-a17a-5cdb-bf8d-2c7c304aa188'],
  ['kittens-seen', window('2021-01-02T03:00Z', '2021-01-02T06:00Z'), '806fb864-92a9-5047-bd22-02fe668be3a5'],
])('the trace id of an aggregate task of %s is the version 5 UUID of its window', (aggregationId, window, expected) => {
  expect(aggregateTraceId(aggregationId, window)).toBe(expected);
});

it('the namespace is the one of docs/protocol.md, "Trace ids"', () => {
  // uuid.uuid5(uuid.NAMESPACE_URL, 'https://data-share-processor/aggregate-task')
  expect(AGGREGATE_TRACE_NAMESPACE).toBe('64b2e618-db84-5234-9212-f0b2e5f42756');
});

const minutes = fc.integer({ min: 0, max: 4_000_000_000 }).map((minute) => new Date(minute * 60_000));

it('trace ids are canonical UUIDs of version 5', () => {
  fc.assert(
    fc.property(fc.string(), minutes, minutes, (aggregationId, begin, end) => {
      const id = aggregateTraceId(aggregationId, { begin, end });
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(aggregateTraceId(aggregationId, { begin, end })).toBe(id);
    }),
  );
});

it('trace ids differ for other aggregations and windows', () => {
  const base = window('2026-11-20T09:00Z', '2026-11-20T12:00Z');
  const ids = [
    aggregateTraceId('AGG', base),
    aggregateTraceId('AGH', base),
    aggregateTraceId('AGG', { ...base, begin: new Date('2026-11-20T09:01Z') }),
    aggregateTraceId('AGG', { ...base, end: new Date('2026-11-20T12:01Z') }),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});
