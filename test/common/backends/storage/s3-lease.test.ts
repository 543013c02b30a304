import { beforeAll, describe, expect, it } from 'vitest';
import { LeaseLost } from '../../../../common/errors.ts';
import { AggregationLease } from '../../../../workflow-manager/lease.ts';
import { withoutTools } from '../../../services/service.ts';
import { startVersitygw } from '../../../services/versitygw.ts';
import { memoryLogger } from '../../../support/memory-log.ts';
import { s3Buckets } from '../../../support/s3-buckets.ts';

const DURATION_MS = 60_000;

/** S3 takes an object for unchanged that holds the same bytes again: a lease must never come to that by others. */
describe.skipIf(withoutTools('leases on S3', 'versitygw'))('a lease on S3', () => {
  const buckets = s3Buckets(startVersitygw);
  let bucket: string;
  let nowMs = Date.parse('2026-11-21T10:00:00Z');

  beforeAll(async () => {
    bucket = await buckets.create();
  });

  async function acquire(aggregationId: string, runId: string): Promise<AggregationLease | undefined> {
    const clock = (): Date => new Date(nowMs);
    const settings = { runId, durationMs: DURATION_MS, clock, log: memoryLogger().log };
    return AggregationLease.acquire(buckets.open(bucket), aggregationId, settings);
  }

  it('that was taken over and given back does not fall to its former holder', async () => {
    const first = await acquire('back', 'run-1');
    nowMs += DURATION_MS;
    const second = await acquire('back', 'run-2');
    expect(second).toBeDefined();
    await second?.release();
    await expect(first?.assertHeld()).rejects.toThrow(LeaseLost);
    await first?.release();
    expect(await acquire('back', 'run-3')).toBeDefined();
  });

  it('that is free goes to one of ten runs at the same time', async () => {
    for (const state of ['new', 'given back', 'expired']) {
      const leases = await Promise.all(Array.from({ length: 10 }, (_, i) => acquire('race', `${state} ${i}`)));
      const held = leases.filter((lease) => lease !== undefined);
      expect(held, state).toHaveLength(1);
      if (state === 'new') await held[0]?.release();
      else nowMs += DURATION_MS;
    }
  });
});
