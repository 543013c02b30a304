import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { jobLeftBehind, OLD_AGGREGATE_NAME, OLD_INTAKE_NAME } from '../support/jobs.ts';
import type { Job } from '../../workflow-manager/jobs.ts';
import { isLeftBehind } from '../../workflow-manager/left-behind.ts';

const now = new Date('2020-11-02T00:00:00Z');
const settings = { now, minAgeMs: HOUR_MS, stuckAgeMs: 24 * HOUR_MS };
const ago = (ms: number): Date => new Date(now.getTime() - ms);

describe('a job that has finished long ago', () => {
  it.each([
    ['of a batch', OLD_INTAKE_NAME, true],
    ['of a batch, long', 'i-a-very-long-aggregation-nam-b8a5579af984460a-2020-10-31-20-29', true],
    ['of a window', OLD_AGGREGATE_NAME, true],
    ['of a window, long', 'a-foobar-01234567890123456789012-2020-10-31-20-00', true],
    ['with an id of hyphens', 'a----2020-10-31-20-00', true],
    ['with an id that looks like the rest', 'i-b8a5579af984460a-b8a5579af984460a-2020-10-31-20-29', true],
    ['of a batch, with an id of 28 characters', `i-${'x'.repeat(28)}-b8a5579af984460a-2020-10-31-20-29`, false],
    ['of a window, with an id of 31 characters', `a-${'x'.repeat(31)}-2020-10-31-20-00`, false],
    ['of a batch, without an id', 'i-b8a5579af984460a-2020-10-31-20-29', false],
    ['of a window, without an id', 'a--2020-10-31-20-00', false],
    ['without a window', 'a-kittens-seen', false],
    ['with half a UUID too short', 'i-kittens-seen-b8a5579af984460-2020-10-31-20-29', false],
    ['with a UUID that is not hexadecimal', 'i-kittens-seen-b8a5579af984460g-2020-10-31-20-29', false],
    ['in upper case', 'i-Kittens-seen-b8a5579af984460a-2020-10-31-20-29', false],
    ['with another time of day', 'a-kittens-seen-2020-10-31-24-00', false],
    ['on a day that is in no calendar', 'a-kittens-seen-2020-02-30-20-00', false],
    ['with seconds', 'a-kittens-seen-2020-10-31-20-00-00', false],
    ['with something after it', `${OLD_AGGREGATE_NAME}-x`, false],
    ['with a line after it', `${OLD_AGGREGATE_NAME}\n`, false],
    ['with something before it', `x${OLD_INTAKE_NAME}`, false],
    ['of another kind', 'b-kittens-seen-2020-10-31-20-00', false],
    ['of our own CronJob', 'workflow-manager-28456789', false],
  ])('named as older versions named those %s: %s', (_, name, expected) => {
    expect(isLeftBehind(jobLeftBehind({ name }), settings)).toBe(expected);
  });

  const cronJob = { kind: 'CronJob', isController: true };
  it.each<[string, Partial<Job>, boolean]>([
    ['no container', { containers: [] }, false],
    ['another container', { containers: ['facilitator'] }, false],
    ['a container of a longer name', { containers: ['facile-container-2'] }, false],
    ['one container more', { containers: ['facile-container', 'proxy'] }, false],
    ['the labels', { isSelected: true }, true],
    ['the labels, and neither name nor container', { isSelected: true, name: 'x', containers: ['y'] }, true],
    ['a CronJob', { owners: [cronJob] }, false],
    ['a CronJob that does not control it', { owners: [{ kind: 'CronJob', isController: false }] }, false],
    ['the labels and a CronJob', { isSelected: true, owners: [cronJob] }, false],
    ['another controller', { owners: [{ kind: 'Workflow', isController: true }] }, false],
    ['an owner that does not control it', { owners: [{ kind: 'ConfigMap', isController: false }] }, true],
    ['a deletion under way', { isBeingDeleted: true }, false],
    ['the labels and a deletion under way', { isSelected: true, isBeingDeleted: true }, false],
  ])('with %s', (_, changes, expected) => {
    expect(isLeftBehind(jobLeftBehind(changes), settings)).toBe(expected);
  });
});

describe.each([
  ['an older version’s job', {}],
  ['a selected job', { isSelected: true, name: 'x' }],
])('%s', (_, kind) => {
  const DAYS_3 = 72 * HOUR_MS;
  it.each<[string, { createdAgo: number; finishedAgo?: number }, boolean]>([
    ['finished just long enough ago', { createdAgo: DAYS_3, finishedAgo: HOUR_MS }, true],
    ['finished 1 ms too late', { createdAgo: DAYS_3, finishedAgo: HOUR_MS - 1 }, false],
    ['finished in the future', { createdAgo: DAYS_3, finishedAgo: -1 }, false],
    ['created in the future, although finished', { createdAgo: -1, finishedAgo: HOUR_MS }, false],
    ['active and 1 ms too old', { createdAgo: 24 * HOUR_MS + 1 }, true],
    ['active and just not too old', { createdAgo: 24 * HOUR_MS }, false],
    ['active and created in the future', { createdAgo: -1 }, false],
  ])('that is %s', (_, { createdAgo, finishedAgo }, expected) => {
    const finishedAt = finishedAgo === undefined ? undefined : ago(finishedAgo);
    expect(isLeftBehind(jobLeftBehind({ ...kind, createdAt: ago(createdAgo), finishedAt }), settings)).toBe(expected);
  });

  it('is not taken before it has finished, or now, whatever the ages', () => {
    const future = jobLeftBehind({ ...kind, createdAt: ago(DAYS_3), finishedAt: ago(-1) });
    expect(isLeftBehind(future, { ...settings, minAgeMs: 0 })).toBe(false);
    expect(isLeftBehind({ ...future, finishedAt: now }, { ...settings, minAgeMs: 0 })).toBe(true);
  });
});

const name = fc.oneof(
  fc.constantFrom(OLD_INTAKE_NAME, OLD_AGGREGATE_NAME),
  fc.stringMatching(/^[ai]-[a-z0-9-]{0,40}$/),
  fc.stringMatching(/^[a-z0-9-]{0,20}(?:-[0-9a-f]{15,17})?-20\d\d-\d\d-\d\d-\d\d-\d\d$/),
);
const time = fc.date({ min: ago(72 * HOUR_MS), max: ago(-HOUR_MS), noInvalidDate: true });
const anyJob: fc.Arbitrary<Job> = fc.record({
  namespace: fc.constant('prio'),
  name,
  uid: fc.uuid(),
  createdAt: time,
  finishedAt: fc.option(time, { nil: undefined }),
  containers: fc.oneof(
    fc.constant(['facile-container']),
    fc.array(fc.constantFrom('facile-container', 'facilitator', 'proxy'), { maxLength: 3 }),
  ),
  owners: fc.oneof(
    fc.constant([]),
    fc.array(fc.record({ kind: fc.constantFrom('CronJob', 'Workflow'), isController: fc.boolean() }), { maxLength: 2 }),
  ),
  isBeingDeleted: fc.boolean(),
  isSelected: fc.boolean(),
});

describe('whatever a namespace holds', () => {
  it('only jobs with the name and the container, or the labels, are left behind, and none with an owner in charge', () => {
    let found = 0;
    fc.assert(
      fc.property(anyJob, (job) => {
        if (!isLeftBehind(job, settings)) return;
        found++;
        const hasForm = /^[ai]-.+-\d{4}(-\d\d){4}$/.test(job.name) && job.containers.join() === 'facile-container';
        expect(job.isSelected || hasForm).toBe(true);
        expect(job.owners.filter(({ kind, isController }) => kind === 'CronJob' || isController)).toEqual([]);
        expect(job.isBeingDeleted).toBe(false);
        expect(job.createdAt.getTime()).toBeLessThanOrEqual(now.getTime());
        const atRest = job.finishedAt ? ago(settings.minAgeMs) : ago(settings.stuckAgeMs);
        expect((job.finishedAt ?? job.createdAt).getTime()).toBeLessThanOrEqual(atRest.getTime());
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(10);
  });

  const aggregationId = fc.string({ minLength: 1, maxLength: 50 }).filter((id) => !id.includes('/'));
  const minute = fc
    .date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2021-12-31T23:59:00Z'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 16).replaceAll(/[T:]/g, '-'));
  /** How older versions made a part of a name from an aggregation's id. */
  const fragment = (id: string, length: number): string =>
    id
      .replaceAll(/[^A-Za-z0-9-]/g, '-')
      .slice(0, length)
      .toLowerCase();

  it('jobs named as older versions named them are left behind', () => {
    fc.assert(
      fc.property(aggregationId, fc.uuid(), minute, (id, uuid, minute) => {
        const names = [
          `i-${fragment(id, 27)}-${uuid.replaceAll('-', '').slice(0, 16)}-${minute}`,
          `a-${fragment(id, 30)}-${minute}`,
        ];
        for (const name of names) expect([name, isLeftBehind(jobLeftBehind({ name }), settings)]).toEqual([name, true]);
      }),
    );
  });
});
