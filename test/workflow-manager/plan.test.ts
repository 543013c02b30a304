import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchPart } from '../../common/domain/batch-object.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../common/domain/interval.ts';
import type { IntakeTask } from '../../common/domain/task.ts';
import type { ListedBatch } from '../../workflow-manager/listing.ts';
import {
  aggregationWindows,
  emptyIntakePlan,
  intakeInterval,
  intakeTasks,
  windowPlans,
  type IntakePlan,
  type WindowPlan,
} from '../../workflow-manager/plan.ts';
import { batchAt, WINDOW } from '../support/publisher.ts';

const ALL: readonly BatchPart[] = ['header', 'packets', 'signature'];
const TIME = '2024-11-20T13:00Z';

const listedBatch = (batch: BatchId, ...parts: readonly BatchPart[]): ListedBatch => ({
  batch,
  parts: new Set(parts.length === 0 ? ALL : parts),
});

const ready = (...numbers: readonly number[]): ListedBatch[] => numbers.map((n) => listedBatch(batchAt(TIME, n)));

async function* from<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

describe('intakeInterval', () => {
  it.each([
    ['2024-11-20T16:00Z', HOUR_MS, '2024-11-20T15:00Z', '2024-11-21T16:00Z'],
    ['2024-11-20T16:00:59.999Z', 0, '2024-11-20T16:00:59.999Z', '2024-11-21T16:00:59.999Z'],
    ['2024-02-28T12:00Z', 365 * DAY_MS, '2023-02-28T12:00Z', '2024-02-29T12:00Z'],
  ])('at %s goes %d ms back and a day ahead', (now, maxAgeMs, begin, end) => {
    expect(intakeInterval(new Date(now), maxAgeMs)).toEqual({ begin: new Date(begin), end: new Date(end) });
  });
});

describe('aggregationWindows', () => {
  const H = HOUR_MS;
  it.each([
    // The last window that ended at least the grace period ago.
    ['2024-11-20T16:00Z', 3 * H, H, '2024-11-20T12:00Z'],
    ['2024-11-20T15:59:59.999Z', 3 * H, H, '2024-11-20T09:00Z'],
    ['2024-11-20T18:59:59.999Z', 3 * H, H, '2024-11-20T12:00Z'],
    ['2024-11-20T19:00Z', 3 * H, H, '2024-11-20T15:00Z'],
    ['2024-11-20T16:00Z', 3 * H, 0, '2024-11-20T12:00Z'],
    ['2024-11-20T15:00Z', 3 * H, 0, '2024-11-20T12:00Z'],
    ['2024-11-20T02:00Z', 3 * H, 24 * H, '2024-11-18T21:00Z'],
    ['2024-11-20T16:07Z', 5 * MINUTE_MS, 0, '2024-11-20T16:00Z'],
    ['2024-11-20T16:00Z', 24 * H, H, '2024-11-19T00:00Z'],
    // Counted from year 1; from 1970 they would begin at 15:00, at 07:00 and on Thursday 7 November.
    ['2020-11-01T04:29Z', 7 * H, H, '2020-10-31T20:00Z'],
    ['2024-11-20T16:00Z', 5 * H, 0, '2024-11-20T09:00Z'],
    ['2024-11-20T16:00Z', 7 * 24 * H, 0, '2024-11-11T00:00Z'],
  ])('at %s with a period of %d ms and %d ms of grace begins at %s', (now, periodMs, graceMs, begin) => {
    const windows = aggregationWindows(new Date(now), { periodMs, graceMs, lookback: 1 });
    expect(windows).toEqual([{ begin: new Date(begin), end: new Date(Date.parse(begin) + periodMs) }]);
  });

  it.each([
    ['2024-11-20T13:59Z', '2024-11-20T12:00Z'],
    ['2024-11-20T12:00Z', '2024-11-20T12:00Z'],
    ['2024-11-20T15:00Z', '2024-11-20T15:00Z'],
    ['2020-01-01T00:00Z', '2020-01-01T00:00Z'],
    ['2030-01-01T02:59Z', '2030-01-01T00:00Z'],
  ])('holds the time %s that overrides it', (override, begin) => {
    const settings = { periodMs: 3 * H, graceMs: H, lookback: 5, override: new Date(override) };
    const windows = aggregationWindows(new Date('2024-11-20T16:00Z'), settings);
    expect(windows.map((window) => window.begin)).toEqual([new Date(begin)]);
  });

  it('are as many as are looked back to, adjoining, the oldest first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 1, max: 60 }),
        fc.date({ min: new Date('1990-01-01Z'), max: new Date('2100-01-01Z'), noInvalidDate: true }),
        (minutes, graceMinutes, lookback, now) => {
          const settings = { periodMs: minutes * MINUTE_MS, graceMs: graceMinutes * MINUTE_MS };
          const windows = aggregationWindows(now, { ...settings, lookback });
          expect(windows).toHaveLength(lookback);
          expect(windows.slice(1).map(({ begin }) => begin)).toEqual(windows.slice(0, -1).map(({ end }) => end));
          expect(windows.at(-1)).toEqual(aggregationWindows(now, { ...settings, lookback: 1 })[0]);
        },
      ),
    );
  });

  it('begins at a multiple of the period since year 1', () => {
    const year1 = new Date(0);
    year1.setUTCFullYear(1, 0, 1);
    for (const minutes of [1, 7, 60, 90, 180, 300, 420, 1440, 7 * 1440, 10_007]) {
      const periodMs = minutes * MINUTE_MS;
      for (const now of ['1969-12-31T23:59Z', '1970-01-01T00:00Z', '2024-02-29T12:34:56.789Z', '0001-01-02T00:00Z']) {
        const [{ begin, end }] = aggregationWindows(new Date(now), { periodMs, graceMs: 0, lookback: 1 });
        expect(BigInt(begin.getTime() - year1.getTime()) % BigInt(periodMs)).toBe(0n);
        expect(end.getTime() - begin.getTime()).toBe(periodMs);
        // It has ended, and the next one has not.
        expect(end.getTime()).toBeLessThanOrEqual(Date.parse(now));
        expect(end.getTime() + periodMs).toBeGreaterThan(Date.parse(now));
      }
    }
  });
});

describe('intakeTasks', () => {
  const interval = { begin: new Date('2024-11-20T13:00Z'), end: new Date('2024-11-20T14:00Z') };
  const planned = async (
    batches: readonly ListedBatch[],
    markers: readonly BatchId[],
  ): Promise<{ tasks: IntakeTask[]; plan: IntakePlan }> => {
    const plan = emptyIntakePlan();
    const tasks: IntakeTask[] = [];
    const listings = { ingestion: from(batches), markers: from(markers.map((batch) => ({ batch }))) };
    const windows = { begin: new Date('2024-11-20T12:59Z'), end: new Date('2024-11-20T13:30Z') };
    for await (const task of intakeTasks('a', listings, { interval, windows }, plan)) tasks.push(task);
    return { tasks, plan };
  };

  it('gives a task for each ready batch without marker, in the order of the listing, and counts', async () => {
    const batches = [
      ...ready(1, 2),
      listedBatch(batchAt(TIME, 3), 'header', 'signature'),
      listedBatch(batchAt(TIME, 4), 'header', 'packets'),
      ...ready(5),
      listedBatch(batchAt('2024-11-20T13:01Z', 1)),
    ];
    const { tasks, plan } = await planned(batches, [
      batchAt(TIME, 2),
      batchAt(TIME, 3),
      batchAt(TIME, 6),
      batchAt('2024-11-20T13:01Z', 5),
    ]);
    const expected = [batchAt(TIME, 1), batchAt(TIME, 5), batchAt('2024-11-20T13:01Z', 1)];
    expect(tasks).toEqual(expected.map((batch) => ({ traceId: batch.id, aggregationId: 'a', batch })));
    expect(plan).toMatchObject({ found: { ready: 4, incomplete: 2 }, skippedByMarker: 1, missed: [] });
  });

  it('tells of batches before the interval that are ready and have no marker', async () => {
    const before = (n: number): BatchId => batchAt('2024-11-20T12:59Z', n);
    const batches = [
      listedBatch(before(1)),
      listedBatch(before(2)),
      listedBatch(before(3), 'signature'),
      listedBatch(before(4)),
      ...ready(1),
    ];
    const { tasks, plan } = await planned(batches, [before(2)]);
    expect(tasks).toHaveLength(1);
    expect(plan).toMatchObject({
      found: { ready: 1, incomplete: 0 },
      skippedByMarker: 0,
      missed: [before(1), before(4)],
    });
  });

  it('keeps what is in the windows, ready or not', async () => {
    const [before, first, last, after] = ['12:58', '12:59', '13:29', '13:30'].map((time) =>
      batchAt(`2024-11-20T${time}Z`),
    );
    const inside = [listedBatch(first!, 'header'), listedBatch(last!)];
    const { plan } = await planned([listedBatch(before!), ...inside, listedBatch(after!)], []);
    expect(plan.inWindows).toEqual(inside);
  });

  it('notes the first batch that is ready and behind all windows', async () => {
    const times = ['2024-11-20T13:10Z', '2024-11-20T13:29Z', '2024-11-20T13:30Z', '2024-11-20T13:31Z'];
    const batches = times.map((time) => listedBatch(batchAt(time)));
    expect((await planned(batches, [])).plan.oldestBehindWindows).toEqual(new Date(times[2]!));
    expect((await planned(batches.slice(0, 2), [])).plan.oldestBehindWindows).toBeUndefined();
  });
});

describe('windowPlans', () => {
  const plansOf = async (
    windows: Parameters<typeof windowPlans>[0],
    ...lists: readonly [readonly ListedBatch[], readonly ListedBatch[], (readonly ListedBatch[])?]
  ): Promise<WindowPlan[]> => {
    const [ingestion, peerValidation, ownValidation] = lists;
    const plans: WindowPlan[] = [];
    const listings = {
      ingestion: from(ingestion),
      peerValidation: from(peerValidation),
      ownValidation: ownValidation && from(ownValidation),
    };
    for await (const plan of windowPlans(windows, listings)) plans.push(plan);
    return plans;
  };
  const plan = async (
    ...lists: readonly [readonly ListedBatch[], readonly ListedBatch[], (readonly ListedBatch[])?]
  ): Promise<WindowPlan> => {
    const [only, ...others] = await plansOf([WINDOW], ...lists);
    expect(others).toEqual([]);
    return only!;
  };

  it.each([
    { name: 'nothing', ingestion: [], peer: [], own: [], batches: [], missing: [] },
    { name: 'all of it', ingestion: [1, 2], peer: [1, 2], own: [1, 2], batches: [1, 2], missing: [] },
    { name: 'no ingestion', ingestion: [], peer: [1], own: [1], batches: [], missing: [] },
    { name: 'no peer', ingestion: [1], peer: [], own: [1], batches: [], missing: [] },
    { name: 'nothing of ours', ingestion: [1, 2], peer: [1, 2], own: [], batches: [], missing: [1, 2] },
    { name: 'not required', ingestion: [1, 2], peer: [2, 3], own: undefined, batches: [2], missing: [] },
    { name: 'the middle of all', ingestion: [1, 3, 4], peer: [2, 3, 4], own: [3, 5], batches: [3], missing: [4] },
    { name: 'ours ends first', ingestion: [1, 2, 3], peer: [1, 2, 3], own: [1], batches: [1], missing: [2, 3] },
    { name: 'ours begins late', ingestion: [1, 2, 3], peer: [1, 2, 3], own: [3], batches: [3], missing: [1, 2] },
    { name: 'alternating', ingestion: [1, 3, 5], peer: [2, 4, 6], own: [1, 2, 3], batches: [], missing: [] },
    { name: 'one of many', ingestion: [7], peer: [1, 2, 3, 7, 9], own: [2, 7], batches: [7], missing: [] },
  ])('joins three lists: $name', async ({ ingestion, peer, own, batches, missing }) => {
    const planned = await plan(ready(...ingestion), ready(...peer), own && ready(...own));
    const ids = (numbers: readonly number[]): BatchId[] => numbers.map((n) => batchAt(TIME, n));
    expect(planned).toEqual({
      window: WINDOW,
      batches: ids(batches),
      // All lists are read to their ends, so that what they hold is counted.
      ingestion: { ready: ingestion.length, incomplete: 0 },
      peerValidation: { ready: peer.length, incomplete: 0 },
      ownValidation: { ready: own?.length ?? 0, incomplete: 0 },
      withoutOwnValidation: ids(missing),
      withoutPeerValidation: ids(ingestion.filter((n) => !peer.some((other) => other === n))),
    });
  });

  it('gives every window its own, also those that have nothing', async () => {
    const hours = ['09', '10', '11', '12', '13', '14'];
    const at = (time: string): Date => new Date(`2024-11-20T${time}Z`);
    const windows = hours.map((hour) => ({ begin: at(`${hour}:00`), end: at(`${Number(hour) + 1}:00`) }));
    const times = ['10:00', '10:59', '11:00', '13:59'];
    const batches = times.map((time) => listedBatch(batchAt(at(time))));
    const [first, ...others] = windows;
    const plans = await plansOf([first!, ...others], batches, batches, batches.slice(1));
    expect(plans.map(({ window }) => window)).toEqual(windows);
    expect(plans.map((planned) => planned.batches.map(({ time }) => time))).toEqual([
      [],
      [at('10:59')],
      [at('11:00')],
      [],
      [at('13:59')],
      [],
    ]);
    expect(plans.map(({ ingestion }) => ingestion.ready)).toEqual([0, 2, 1, 0, 1, 0]);
    expect(plans.map(({ withoutOwnValidation }) => withoutOwnValidation.length)).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it('tells batches of one id by their times', async () => {
    const at = (...minutes: readonly string[]): ListedBatch[] =>
      minutes.map((minute) => listedBatch(batchAt(`2024-11-20T13:${minute}Z`)));
    const { batches, withoutOwnValidation } = await plan(
      at('00', '01', '03'),
      at('01', '02', '03'),
      at('00', '02', '03'),
    );
    expect(batches).toEqual([batchAt('2024-11-20T13:03Z')]);
    expect(withoutOwnValidation).toEqual([batchAt('2024-11-20T13:01Z')]);
  });

  it('wants ingestion batches whole, and of validations the signature', async () => {
    const batch = batchAt(TIME, 1);
    const signed = [listedBatch(batch, 'signature')];
    const unsigned = [listedBatch(batch, 'header', 'packets')];
    const whole = [listedBatch(batch)];
    expect((await plan(whole, signed, signed)).batches).toEqual([batch]);
    expect(await plan(signed, whole, whole)).toMatchObject({ batches: [], ingestion: { ready: 0, incomplete: 1 } });
    expect(await plan(whole, unsigned, whole)).toMatchObject({
      batches: [],
      peerValidation: { ready: 0, incomplete: 1 },
      withoutOwnValidation: [],
    });
    expect(await plan(whole, whole, unsigned)).toMatchObject({
      batches: [],
      ownValidation: { ready: 0, incomplete: 1 },
      withoutOwnValidation: [batch],
    });
  });

  it.each(['ingestion', 'peerValidation', 'ownValidation'] as const)(
    'ends the other listings if that of %s fails',
    async (broken) => {
      const open = new Set<string>();
      const listing = async function* (name: string): AsyncGenerator<ListedBatch> {
        open.add(name);
        try {
          yield* ready(1, 2);
          if (name === broken) throw new Error('broken');
          yield* ready(3, 4);
        } finally {
          open.delete(name);
        }
      };
      const planned = windowPlans([WINDOW], {
        ingestion: listing('ingestion'),
        peerValidation: listing('peerValidation'),
        ownValidation: listing('ownValidation'),
      });
      await expect(planned.next()).rejects.toThrow('broken');
      expect([...open]).toEqual([]);
    },
  );
});
