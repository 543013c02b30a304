import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeError, PermissionDenied } from '../../../common/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../../../common/domain/interval.ts';
import { ADMIN_TOKEN, startKubeApiServer, type KubeApiServer } from '../../services/kube-apiserver.ts';
import { freePort, withoutTools } from '../../services/service.ts';
import { KubeObjects } from '../../support/kube-objects.ts';
import { memoryLogger } from '../../support/memory-log.ts';
import { openKubernetesJobs, type KubernetesJobsSettings } from '../../../workflow-manager/backends/kubernetes-jobs.ts';
import { dryRunJobs } from '../../../workflow-manager/dry-run-jobs.ts';
import type { Job, Jobs } from '../../../workflow-manager/jobs.ts';
import { reapJobs, type ReapSummary } from '../../../workflow-manager/reaper.ts';

/** Two days after the Jobs of this test were created, which the API server dates itself. */
const now = new Date(Date.now() + 48 * HOUR_MS);
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const settings = { now, minAgeMs: HOUR_MS, stuckAgeMs: 24 * HOUR_MS };

const CRON_JOB = { apiVersion: 'batch/v1', kind: 'CronJob' };
const windowName = (i: number): string =>
  `a-agg-2020-10-${String(10 + Math.floor(i / 60)).padStart(2, '0')}-10-${String(i % 60).padStart(2, '0')}`;

function reap(jobs: Jobs, changes: Partial<typeof settings> = {}): Promise<ReapSummary> {
  return reapJobs(jobs, { ...settings, ...changes }, { log: memoryLogger('error').log });
}

describe.skipIf(withoutTools('reaping jobs of a cluster', 'kube-apiserver', 'etcd'))('in a cluster', () => {
  let kube: KubeApiServer;
  let objects: KubeObjects;
  beforeAll(async () => {
    kube = await startKubeApiServer();
    objects = new KubeObjects(kube);
  }, 60_000);
  afterAll(() => kube[Symbol.asyncDispose]());
  afterEach(() => vi.unstubAllEnvs());

  let configs = 0;
  async function jobsOf(
    namespace: string,
    {
      token = ADMIN_TOKEN,
      server,
      ...more
    }: { token?: string; server?: string } & Partial<KubernetesJobsSettings> = {},
  ): Promise<Jobs> {
    const kubeConfigPath = join(kube.directory, `config-${configs++}`);
    await writeFile(kubeConfigPath, kube.kubeConfig(token, server));
    return openKubernetesJobs({ namespace, kubeConfigPath, ...more });
  }

  it('the reaper deletes what is left behind, in its namespace, and nothing else', async () => {
    await objects.namespace('mixed');
    await objects.namespace('mixed-other');
    const finishedLongAgo = async (
      how: 'Complete' | 'Failed',
      job: Parameters<KubeObjects['job']>[1],
    ): Promise<void> => {
      await objects.job('mixed', job);
      await objects.finish('mixed', job.name, how, ago(2 * HOUR_MS));
    };
    await finishedLongAgo('Complete', { name: 'i-agg-b8a5579af984460a-2020-10-31-20-29' });
    await finishedLongAgo('Failed', { name: windowName(0) });
    await finishedLongAgo('Complete', { name: windowName(1), container: 'facilitator' });
    await finishedLongAgo('Complete', { name: 'agg-2020-10-31' });
    await finishedLongAgo('Complete', { name: windowName(2), owner: { ...CRON_JOB, controller: true } });
    await finishedLongAgo('Complete', { name: windowName(3), owner: CRON_JOB });
    await finishedLongAgo('Complete', {
      name: windowName(4),
      owner: { apiVersion: 'example.com/v1', kind: 'Workflow', controller: true },
    });
    await objects.job('mixed', { name: windowName(5) });
    await objects.finish('mixed', windowName(5), 'Complete', ago(30 * MINUTE_MS));
    await objects.job('mixed', { name: windowName(6) });
    await objects.job('mixed-other', { name: windowName(0) });

    const before = await objects.versions('mixed');
    const survivors = [1, 2, 3, 4, 5, 6].map(windowName).concat('agg-2020-10-31');
    const jobs = await jobsOf('mixed');
    expect(await reap(jobs, { stuckAgeMs: 72 * HOUR_MS })).toEqual({ listed: 9, deleted: 2, gone: 0 });
    expect(await objects.versions('mixed')).toEqual(new Map([...before].filter(([name]) => survivors.includes(name))));

    expect(await reap(jobs)).toEqual({ listed: 7, deleted: 1, gone: 0 });
    expect([...(await objects.versions('mixed')).keys()]).toEqual(
      [...before.keys()].filter((name) => survivors.includes(name) && name !== windowName(6)),
    );
    expect((await objects.versions('mixed-other')).size).toBe(1);
  });

  it('the label selector adds jobs of any name, but for those that are young or owned', async () => {
    await objects.namespace('labelled');
    const labels = { app: 'intake' };
    await objects.job('labelled', { name: 'x', container: 'y', labels });
    await objects.job('labelled', { name: 'x-keep', container: 'y', labels: { ...labels, keep: 'yes' } });
    await objects.job('labelled', { name: 'x-owned', container: 'y', labels, owner: CRON_JOB });
    await objects.job('labelled', { name: 'x-young', container: 'y', labels });
    await objects.finish('labelled', 'x-young', 'Complete', ago(30 * MINUTE_MS));
    await objects.job('labelled', { name: windowName(0) });
    await objects.job('labelled', { name: windowName(1), labels });
    const jobs = await jobsOf('labelled', { labelSelector: 'app in (intake), !keep' });
    expect(await reap(jobs)).toEqual({ listed: 6, deleted: 3, gone: 0 });
    expect([...(await objects.versions('labelled')).keys()].sort()).toEqual(['x-keep', 'x-owned', 'x-young']);
  });

  it('a selector that the API server cannot read is named', async () => {
    const jobs = await jobsOf('default', { labelSelector: 'app in' });
    const error: unknown = await reap(jobs).catch((err: unknown) => err);
    expect(describeError(error)).toMatch(/check --reap-label-selector: HTTP 400: unable to parse requirement/);
  });

  it('of 1,200 jobs all go, over several pages; a dry run before touches none', async () => {
    await objects.namespace('many');
    const names = Array.from({ length: 1200 }, (_, i) => windowName(i));
    await objects.jobs('many', names);
    const before = await objects.versions('many');
    const lines: string[] = [];
    const jobs = await jobsOf('many');
    await reap(dryRunJobs(jobs, (line) => lines.push(line)));
    const printed = lines.map((line) => /^would delete job many\/(\S+) \(uid [0-9a-f-]{36}\)$/.exec(line)?.[1] ?? line);
    expect(printed.toSorted()).toEqual(names.toSorted());
    expect(await objects.versions('many')).toEqual(before);
    expect(await reap(jobs)).toEqual({ listed: 1200, deleted: 1200, gone: 0 });
    expect(await objects.versions('many')).toEqual(new Map());
  });

  it('deletes in the background: by any other policy the job would wait for a garbage collector', async () => {
    await objects.namespace('background');
    await objects.job('background', { name: windowName(0) });
    await objects.job('background', { name: windowName(1) });
    await objects.delete('background', windowName(0));
    expect(await reap(await jobsOf('background'))).toEqual({ listed: 2, deleted: 1, gone: 0 });
    expect([...(await objects.versions('background')).keys()]).toEqual([windowName(0)]);
  });

  it('a job that is gone is fine, and another one of its name stays', async () => {
    await objects.namespace('gone');
    await objects.jobs('gone', [windowName(0), windowName(1)]);
    const jobs = await jobsOf('gone');
    const listed: Job[] = [];
    for await (const job of jobs.list()) listed.push(job);
    for (const job of listed) expect(await jobs.delete(job)).toBe('deleted');
    await objects.job('gone', { name: windowName(0) });
    for (const job of listed) expect(await jobs.delete(job)).toBe('gone');
    expect([...(await objects.versions('gone')).keys()]).toEqual([windowName(0)]);
  });

  describe('with a service account', () => {
    beforeAll(async () => {
      await objects.namespace('rbac');
      await objects.jobs('rbac', [windowName(0), windowName(1)]);
    });

    it.each([
      ['list', []],
      ['delete', ['list']],
    ])('that may not %s jobs, verb and resource are named', async (verb, allowed) => {
      const token = await objects.serviceAccount('rbac', `may-not-${verb}`, allowed);
      const error: unknown = await reap(await jobsOf('rbac', { token })).catch((err: unknown) => err);
      expect(error).toBeInstanceOf(PermissionDenied);
      expect(describeError(error)).toContain(
        `may not ${verb} jobs in namespace rbac: give the service account the verb "${verb}" on resource "jobs" of API group "batch": HTTP 403: `,
      );
      expect(describeError(error)).not.toContain(token);
      expect((await objects.versions('rbac')).size).toBe(2);
    });

    it('whose token is refused, that is said', async () => {
      const error: unknown = await reap(await jobsOf('rbac', { token: 'nonsense' })).catch((err: unknown) => err);
      expect(error).toBeInstanceOf(PermissionDenied);
      expect(describeError(error)).toMatch(/does not accept our credentials.*HTTP 401$/);
    });

    it('of its pod it needs no configuration, and no more than list and delete', async () => {
      const token = await objects.serviceAccount('rbac', 'reaper', ['list', 'delete']);
      const mounted = join(kube.directory, 'pod/var/run/secrets/kubernetes.io/serviceaccount');
      await mkdir(mounted, { recursive: true });
      await writeFile(join(mounted, 'ca.crt'), kube.certificateAuthority);
      await writeFile(join(mounted, 'token'), token);
      await writeFile(join(mounted, 'namespace'), 'elsewhere');
      vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1');
      vi.stubEnv('KUBERNETES_SERVICE_PORT', String(kube.port));
      const jobs = openKubernetesJobs({ namespace: 'rbac', inClusterRoot: join(kube.directory, 'pod') });
      expect(await reap(jobs)).toEqual({ listed: 2, deleted: 2, gone: 0 });
    });
  });

  it('waits for an API server that comes up late', async () => {
    await objects.namespace('late');
    await objects.job('late', { name: windowName(0) });
    const port = await freePort();
    const visitors = new Set<Socket>();
    // Until it listens, connections are refused.
    const door = createServer((client) => {
      const inner = connect(kube.port, '127.0.0.1');
      pipeline(client, inner, client, () => {});
      visitors.add(client);
    });
    const failures: string[] = [];
    const jobs = await jobsOf('late', {
      server: `https://127.0.0.1:${port}`,
      firstPauseMs: 10,
      onUnavailable: (failure) => {
        if (failures.push(describeError(failure)) === 2) door.listen(port, '127.0.0.1');
      },
    });
    expect(await reap(jobs)).toEqual({ listed: 1, deleted: 1, gone: 0 });
    expect(failures.length).toBeGreaterThanOrEqual(2);
    expect(failures[0]).toMatch(/no answer from https:\/\/127\.0\.0\.1:\d+: fetch failed: connect ECONNREFUSED/);
    for (const visitor of visitors) visitor.destroy();
    door.close();
    await once(door, 'close');
  });
});
