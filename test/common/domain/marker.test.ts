import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aggregateClaim,
  aggregateClaimPrefix,
  aggregateMarker,
  aggregateMarkerPrefix,
  CLAIM_PREFIX,
  intakeMarker,
  intakeMarkerPrefix,
  intakeMarkersFrom,
  leaseKey,
  MARKER_PREFIX,
} from '../../../common/domain/marker.ts';
import { objectKeyFault } from '../../../common/domain/object-key.ts';

const BATCH = { id: '0f0e0d0c-0b0a-4908-8706-050403020100', time: new Date('2021-01-02T03:04:59Z') };
const WINDOW = { begin: new Date('2021-01-02T03:00Z'), end: new Date('2021-01-02T06:00Z') };

it.each([
  [
    'the marker of an intake task',
    intakeMarker('kittens-seen', BATCH),
    'task-markers/intake-kittens-seen-2021-01-02-03-04-0f0e0d0c-0b0a-4908-8706-050403020100',
  ],
  ['the beginning of intake markers', intakeMarkerPrefix('kittens-seen'), 'task-markers/intake-kittens-seen-'],
  [
    'the beginning of intake markers from a time on',
    intakeMarkersFrom('kittens-seen', BATCH.time),
    'task-markers/intake-kittens-seen-2021-01-02-03-04',
  ],
  [
    'the marker of an aggregate task',
    aggregateMarker('kittens-seen', WINDOW),
    'task-markers/aggregate-kittens-seen-2021-01-02-03-00-2021-01-02-06-00',
  ],
  ['the beginning of aggregate markers', aggregateMarkerPrefix('kittens-seen'), 'task-markers/aggregate-kittens-seen-'],
  [
    'the claim of a window',
    aggregateClaim('kittens-seen', WINDOW),
    'task-claims/aggregate-kittens-seen-2021-01-02-03-00-2021-01-02-06-00',
  ],
  ['the beginning of claims', aggregateClaimPrefix('kittens-seen'), 'task-claims/aggregate-kittens-seen-'],
  ['the lease of an aggregation', leaseKey('kittens-seen'), 'task-claims/kittens-seen.lease'],
  ['the folder of markers', MARKER_PREFIX, 'task-markers/'],
  ['the folder of claims', CLAIM_PREFIX, 'task-claims/'],
])('%s is called as the reference and docs/protocol.md have it', (_, name, expected) => {
  expect(name).toBe(expected);
});

describe('names', () => {
  const ids = fc
    .string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', '_', ' '), minLength: 1, maxLength: 20 })
    .filter((id) => id !== '.' && id !== '..');
  const minutes = fc.integer({ min: 0, max: 4_000_000_000 }).map((minute) => new Date(minute * 60_000));
  const uuids = fc.uuid();

  it('are object keys', () => {
    fc.assert(
      fc.property(ids, minutes, minutes, uuids, (aggregationId, begin, end, id) => {
        for (const key of [
          intakeMarker(aggregationId, { id, time: begin }),
          aggregateMarker(aggregationId, { begin, end }),
          aggregateClaim(aggregationId, { begin, end }),
          leaseKey(aggregationId),
        ]) {
          expect(objectKeyFault(key)).toBeUndefined();
        }
      }),
    );
  });

  it('begin with their prefixes', () => {
    fc.assert(
      fc.property(ids, minutes, minutes, uuids, (aggregationId, begin, end, id) => {
        const window = { begin, end };
        const intake = intakeMarker(aggregationId, { id, time: begin });
        expect(intake.startsWith(intakeMarkerPrefix(aggregationId))).toBe(true);
        expect(intake.startsWith(intakeMarkersFrom(aggregationId, begin))).toBe(true);
        expect(aggregateMarker(aggregationId, window).startsWith(aggregateMarkerPrefix(aggregationId))).toBe(true);
        expect(aggregateClaim(aggregationId, window).startsWith(aggregateClaimPrefix(aggregationId))).toBe(true);
      }),
    );
  });

  it('of intake markers sort by time, so that a listing may start at one', () => {
    fc.assert(
      fc.property(ids, minutes, minutes, uuids, (aggregationId, from, time, id) => {
        const marker = intakeMarker(aggregationId, { id, time });
        expect(marker >= intakeMarkersFrom(aggregationId, from)).toBe(time >= from);
      }),
    );
  });

  it('of an aggregation may begin like those of another, but are never the same', () => {
    const batch = { ...BATCH, time: WINDOW.begin };
    expect(intakeMarker('a-b', batch).startsWith(intakeMarkerPrefix('a'))).toBe(true);
    fc.assert(
      fc.property(ids, ids, minutes, uuids, (one, other, time, id) => {
        fc.pre(one !== other);
        expect(intakeMarker(one, { id, time })).not.toBe(intakeMarker(other, { id, time }));
      }),
    );
  });
});
