import { describe, expect, it } from 'vitest';
import { PermissionDenied } from '../../common/errors.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { jobLeftBehind, MemoryJobs } from '../support/jobs.ts';
import { memoryLogger } from '../support/memory-log.ts';
import { dryRunJobs } from '../../workflow-manager/dry-run-jobs.ts';
import { ClusterUnavailable, ReapingFailed } from '../../workflow-manager/errors.ts';
import type { Job } from '../../workflow-manager/jobs.ts';
import { reapJobs } from '../../workflow-manager/reaper.ts';

const settings = { now: new Date('2020-11-02T00:00:00Z'), minAgeMs: HOUR_MS, stuckAgeMs: 24 * HOUR_MS };

const nameOf = (i: number): string => `a-kittens-seen-2020-10-31-20-${String(i).padStart(2, '0')}`;
const leftBehind = (count: number): Job[] =>
  Array.from({ length: count }, (_, i) => jobLeftBehind({ name: nameOf(i), uid: `uid-${i}` }));

describe('the reaper', () => {
  it('deletes what is left behind and nothing else', async () => {
    const { log, lines } = memoryLogger('info');
    const young = jobLeftBehind({ name: nameOf(50), finishedAt: settings.now });
    const jobs = new MemoryJobs([...leftBehind(2), young, jobLeftBehind({ name: 'ours' })], ({ name }) =>
      name === nameOf(1) ? 'gone' : 'deleted',
    );
    const summary = await reapJobs(jobs, settings, { log });
    expect(summary).toEqual({ listed: 4, deleted: 1, gone: 1 });
    expect(jobs.tried).toEqual([nameOf(0), nameOf(1)]);
    expect(lines).toMatchObject([
      {
        message: 'job deleted',
        job: `prio/${nameOf(0)}`,
        job_uid: 'uid-0',
        job_created: '2020-10-31T20:30:00.000Z',
        job_finished: '2020-10-31T20:35:00.000Z',
      },
      { message: 'job is gone already', job: `prio/${nameOf(1)}` },
      { message: 'reaping has ended', jobs_listed: 4, jobs_deleted: 1, jobs_gone: 1, jobs_failed: 0 },
    ]);
  });

  it('goes on after a job that cannot be deleted, and fails in the end', async () => {
    const { log, lines } = memoryLogger('error');
    const jobs = new MemoryJobs(leftBehind(3), ({ name }) =>
      name === nameOf(0) ? new ReapingFailed('a webhook forbids it') : 'deleted',
    );
    const reaping = reapJobs(jobs, settings, { log });
    await expect(reaping).rejects.toThrow(new ReapingFailed('1 jobs left behind in memory:jobs could not be deleted'));
    expect(jobs.tried).toEqual([nameOf(0), nameOf(1), nameOf(2)]);
    expect(lines).toMatchObject([
      { message: 'job could not be deleted', job: `prio/${nameOf(0)}`, error_code: 'E_REAPING' },
    ]);
  });

  it('stops at once if no job may be deleted', async () => {
    const { log } = memoryLogger();
    const denied = new PermissionDenied('may not delete');
    const jobs = new MemoryJobs(leftBehind(3), () => denied);
    await expect(reapJobs(jobs, settings, { log })).rejects.toBe(denied);
    expect(jobs.tried).toEqual([nameOf(0)]);
  });

  it('gives up after ten failures in a row', async () => {
    const { log, lines } = memoryLogger('error');
    const failure = new ClusterUnavailable('no answer');
    const jobs = new MemoryJobs(leftBehind(30), ({ name }) => (name === nameOf(5) ? 'deleted' : failure));
    const reaping = reapJobs(jobs, settings, { log });
    await expect(reaping).rejects.toThrow(new ReapingFailed('15 jobs left behind in memory:jobs could not be deleted'));
    expect(jobs.tried).toHaveLength(16);
    expect(lines.at(-1)).toMatchObject({ message: 'reaping is given up: the last jobs failed one and all' });
  });

  it('ends with the reason of its signal', async () => {
    const { log } = memoryLogger();
    const stop = new AbortController();
    const reason = new Error('stop');
    const jobs = new MemoryJobs(leftBehind(3), () => {
      stop.abort(reason);
      return new Error('aborted');
    });
    await expect(reapJobs(jobs, settings, { log, signal: stop.signal })).rejects.toBe(reason);
    expect(jobs.tried).toEqual([nameOf(0)]);
  });

  it('in a dry run prints what it would delete and deletes nothing', async () => {
    const { log } = memoryLogger();
    const jobs = new MemoryJobs([...leftBehind(2), jobLeftBehind({ name: 'ours' })]);
    const lines: string[] = [];
    await reapJobs(
      dryRunJobs(jobs, (line) => lines.push(line)),
      settings,
      { log },
    );
    expect(lines).toEqual([0, 1].map((i) => `would delete job prio/${nameOf(i)} (uid uid-${i})`));
    expect(jobs.tried).toEqual([]);
  });
});
