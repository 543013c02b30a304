import { afterEach, describe, expect, it } from 'vitest';
import { ConfigurationInvalid, describeError, PermissionDenied, UsageError } from '../../../common/errors.ts';
import { jobLeftBehind } from '../../support/jobs.ts';
import { scriptedKube, TOKEN, type KubeScript, type ScriptedKube } from '../../support/scripted-kube.ts';
import { openKubernetesJobs, type KubernetesJobsSettings } from '../../../workflow-manager/backends/kubernetes-jobs.ts';
import { ClusterUnavailable, ReapingFailed } from '../../../workflow-manager/errors.ts';
import type { Job, Jobs } from '../../../workflow-manager/jobs.ts';

let kube: ScriptedKube | undefined;
afterEach(async () => {
  await kube?.[Symbol.asyncDispose]();
  kube = undefined;
});

/** Jobs of the namespace `prio` at a server that answers by `script`; gives up at the first failure. */
async function jobsAt(script: KubeScript, changes: Partial<KubernetesJobsSettings> = {}): Promise<Jobs> {
  kube = await scriptedKube(script);
  const { kubeConfigPath } = kube;
  return openKubernetesJobs({ namespace: 'prio', kubeConfigPath, listPatienceMs: 0, deletePatienceMs: 0, ...changes });
}

const listed = (jobs: Jobs, signal?: AbortSignal): Promise<Job[]> => {
  const collect = async (): Promise<Job[]> => {
    const all: Job[] = [];
    for await (const job of jobs.list(signal)) all.push(job);
    return all;
  };
  return collect();
};

const PATH = '/apis/batch/v1/namespaces/prio/jobs';
const item = (name: string, more: { metadata?: object; spec?: object; status?: object } = {}): object => ({
  metadata: {
    namespace: 'prio',
    name,
    uid: `uid-${name}`,
    creationTimestamp: '2020-10-31T20:30:00Z',
    ...more.metadata,
  },
  spec: { template: { spec: { containers: [{ name: 'facile-container', image: 'i' }] } }, ...more.spec },
  status: more.status ?? {},
});
const page = (items: readonly object[], next?: string): { status: number; body: object } => ({
  status: 200,
  body: { metadata: { ...(next === undefined ? {} : { continue: next }) }, items },
});
const failure = (status: number, message: string, more: object = {}): { status: number; body: object } => ({
  status,
  body: { kind: 'Status', status: 'Failure', code: status, message, ...more },
});
const FORBIDDEN = (verb: string): string =>
  `jobs.batch is forbidden: User "system:serviceaccount:prio:x" cannot ${verb} resource "jobs" in API group "batch" in the namespace "prio"`;

describe('listing', () => {
  it('keeps of a job what tells whether it was left behind', async () => {
    const condition = (type: string, status: string, time: string): object => ({
      type,
      status,
      lastTransitionTime: time,
    });
    const jobs = await jobsAt(() =>
      page([
        item('active', { status: { active: 1, conditions: [condition('Complete', 'False', '2020-10-31T20:31:00Z')] } }),
        item('complete', {
          status: {
            completionTime: '2020-10-31T20:35:00Z',
            conditions: [
              condition('SuccessCriteriaMet', 'True', '2020-10-31T20:34:00Z'),
              condition('Complete', 'True', '2020-10-31T20:36:00Z'),
            ],
          },
        }),
        item('without-completion-time', {
          status: { conditions: [condition('Complete', 'True', '2020-10-31T20:36:00Z')] },
        }),
        item('failed', { status: { conditions: [condition('Failed', 'True', '2020-10-31T20:37:00Z')] } }),
        item('suspended', { spec: { suspend: true }, status: { conditions: [condition('Suspended', 'True', 'x')] } }),
        item('owned', {
          metadata: {
            ownerReferences: [{ kind: 'CronJob', controller: true, name: 'c', uid: 'u' }, { kind: 'ConfigMap' }],
            deletionTimestamp: '2020-11-01T00:00:00Z',
          },
        }),
      ]),
    );
    const base = jobLeftBehind({ finishedAt: undefined });
    const job = (name: string, changes: Partial<Job> = {}): Job => ({ ...base, name, uid: `uid-${name}`, ...changes });
    expect(await listed(jobs)).toEqual([
      job('active'),
      job('complete', { finishedAt: new Date('2020-10-31T20:35:00Z') }),
      job('without-completion-time', { finishedAt: new Date('2020-10-31T20:36:00Z') }),
      job('failed', { finishedAt: new Date('2020-10-31T20:37:00Z') }),
      job('suspended'),
      {
        ...job('owned'),
        owners: [
          { kind: 'CronJob', isController: true },
          { kind: 'ConfigMap', isController: false },
        ],
        isBeingDeleted: true,
      },
    ]);
  });

  it('goes page by page', async () => {
    const pages: Record<string, ReturnType<KubeScript>> = {
      '': page([item('a')], 'one'),
      one: page([], 'two'),
      two: page([item('b')], ''),
    };
    const jobs = await jobsAt(({ query }) => pages[query['continue'] ?? '']);
    expect((await listed(jobs)).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(kube!.requests.map(({ method, path, query }) => ({ method, path, query }))).toEqual([
      { method: 'GET', path: PATH, query: { limit: '500' } },
      { method: 'GET', path: PATH, query: { limit: '500', continue: 'one' } },
      { method: 'GET', path: PATH, query: { limit: '500', continue: 'two' } },
    ]);
    expect(kube!.requests[0]!.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      'user-agent': 'data-share-processor workflow-manager',
    });
  });

  it('asks the server which jobs the selector is about, and gives each job once', async () => {
    const jobs = await jobsAt(({ query }) => page(query['labelSelector'] ? [item('b')] : [item('a'), item('b')]), {
      labelSelector: 'app in (intake), !keep',
    });
    expect((await listed(jobs)).map(({ name, isSelected }) => [name, isSelected])).toEqual([
      ['b', true],
      ['a', false],
    ]);
    expect(kube!.requests.map(({ query }) => query)).toEqual([
      { limit: '500', labelSelector: 'app in (intake), !keep' },
      { limit: '500' },
    ]);
  });

  it.each(['', ' \t'])('refuses the selector %j, which would be everything', (labelSelector) => {
    expect(() => openKubernetesJobs({ namespace: 'prio', labelSelector })).toThrow(UsageError);
  });

  it('goes on where the server says when it expires', async () => {
    const jobs = await jobsAt(({ query }) => {
      if (query['continue'] === undefined) return page([item('a')], 'old');
      if (query['continue'] === 'old') return failure(410, 'expired', { metadata: { continue: 'new' } });
      return page([item('b')]);
    });
    expect((await listed(jobs)).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('starts again when it expires and the server does not say where to go on', async () => {
    let expired = 0;
    const jobs = await jobsAt(({ query }) => {
      if (query['continue'] === undefined) return page([item('a')], 'old');
      return expired++ === 0 ? failure(410, 'expired') : page([item('b')]);
    });
    expect((await listed(jobs)).map(({ name }) => name)).toEqual(['a', 'a', 'b']);
  });

  it('does not start again for ever', async () => {
    const jobs = await jobsAt(({ query }) =>
      query['continue'] === undefined ? page([item('a')], 'old') : failure(410, 'expired'),
    );
    await expect(listed(jobs)).rejects.toThrow(ClusterUnavailable);
    expect(kube!.requests).toHaveLength(8);
  });
});

describe('deleting', () => {
  const job = jobLeftBehind({ name: 'a', uid: 'uid-a' });

  it('deletes that very job, and its pods after it', async () => {
    const jobs = await jobsAt(() => ({ status: 200, body: { kind: 'Status', status: 'Success' } }));
    expect(await jobs.delete(job)).toBe('deleted');
    expect(kube!.requests).toMatchObject([
      {
        method: 'DELETE',
        path: `${PATH}/a`,
        query: {},
        body: { propagationPolicy: 'Background', preconditions: { uid: 'uid-a' } },
      },
    ]);
  });

  it('uses its connections again', async () => {
    const jobs = await jobsAt(() => ({ status: 200, body: {} }));
    for (let i = 0; i < 20; i++) await jobs.delete(job);
    // The answer may be read a moment before its connection is free again.
    expect(kube!.connections()).toBeLessThanOrEqual(2);
  });

  it.each([
    [404, 'jobs.batch "a" not found'],
    [409, 'the UID in the precondition does not match the UID in record'],
  ])('takes %i for a job that is gone', async (status, message) => {
    const jobs = await jobsAt(() => failure(status, message));
    expect(await jobs.delete(job)).toBe('gone');
  });

  it.each([
    [403, 'admission webhook "keep.example" denied the request: keep it'],
    [422, 'a policy forbids it'],
  ])('says that this job may not be deleted, for %i by admission control', async (status, message) => {
    const jobs = await jobsAt(() => failure(status, message));
    const error: unknown = await jobs.delete(job).catch((err: unknown) => err);
    expect(error).toBeInstanceOf(ReapingFailed);
    expect(describeError(error)).toContain('could not delete job prio/a');
    expect(describeError(error)).toContain(`HTTP ${status}: ${message}`);
  });
});

describe.each([
  ['list', (jobs: Jobs, signal?: AbortSignal): Promise<unknown> => listed(jobs, signal)],
  ['delete', (jobs: Jobs, signal?: AbortSignal): Promise<unknown> => jobs.delete(jobLeftBehind({ name: 'a' }), signal)],
])('%s', (verb, ask) => {
  const success: KubeScript = ({ method }) => (method === 'GET' ? page([]) : { status: 200, body: {} });
  const patient = { listPatienceMs: 60_000, deletePatienceMs: 60_000, firstPauseMs: 1 };

  it('names verb, resource and API group that the role lacks', async () => {
    const jobs = await jobsAt(() => failure(403, FORBIDDEN(verb)));
    const error: unknown = await ask(jobs).catch((err: unknown) => err);
    expect(error).toBeInstanceOf(PermissionDenied);
    expect(describeError(error)).toBe(
      `may not ${verb} jobs in namespace prio: give the service account the verb "${verb}" on resource "jobs" of API group "batch": HTTP 403: ${FORBIDDEN(verb)}`,
    );
  });

  it('says that credentials are not accepted, without showing them', async () => {
    const jobs = await jobsAt(() => ({ status: 401 }));
    const error: unknown = await ask(jobs).catch((err: unknown) => err);
    expect(error).toBeInstanceOf(PermissionDenied);
    expect(describeError(error)).toMatch(/does not accept our credentials.*--kube-config-path: HTTP 401$/);
    expect(describeError(error)).not.toContain(TOKEN);
  });

  it.each([
    ['429', { status: 429 }],
    ['500', failure(500, 'etcdserver: leader changed')],
    ['503', { status: 503, body: 'no JSON object' }],
    ['a cut connection', undefined],
  ])('asks again after %s', async (_, answer) => {
    const failures: ClusterUnavailable[] = [];
    let asked = 0;
    const jobs = await jobsAt((request) => (asked++ === 0 ? answer : success(request)), {
      ...patient,
      onUnavailable: (failure) => failures.push(failure),
    });
    await ask(jobs);
    expect(asked).toBe(2);
    expect(failures).toEqual([expect.any(ClusterUnavailable)]);
  });

  it('gives up when its patience is at an end', async () => {
    const jobs = await jobsAt(() => failure(500, 'etcdserver: no leader'), { listPatienceMs: 1, deletePatienceMs: 1 });
    const error: unknown = await ask(jobs).catch((err: unknown) => err);
    expect(error).toBeInstanceOf(ClusterUnavailable);
    expect(describeError(error)).toMatch(/^could not .*127\.0\.0\.1:\d+ failed: HTTP 500: etcdserver: no leader$/);
    expect(kube!.requests.length).toBeLessThanOrEqual(2);
  });

  it('waits no longer once its signal is aborted', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const jobs = await jobsAt(() => undefined, { ...patient, onUnavailable: () => stop.abort(reason) });
    await expect(ask(jobs, stop.signal)).rejects.toBe(reason);
  });

  it('ends a request under way when its signal is aborted', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const jobs = await jobsAt(() => {
      stop.abort(reason);
      return undefined;
    }, patient);
    await expect(ask(jobs, stop.signal)).rejects.toBe(reason);
    await expect(ask(jobs, stop.signal)).rejects.toBe(reason);
    expect(kube!.requests).toHaveLength(1);
  });
});

describe('a listing that the server refuses', () => {
  it.each([
    [400, 'unable to parse requirement', 'check --reap-label-selector'],
    [404, 'page not found', 'is it the API server of a Kubernetes cluster?'],
  ])('with %i is a matter of configuration', async (status, message, wayOut) => {
    const jobs = await jobsAt(() => failure(status, message));
    const error: unknown = await listed(jobs).catch((err: unknown) => err);
    expect(error).toBeInstanceOf(ConfigurationInvalid);
    expect(describeError(error)).toContain(wayOut);
    expect(describeError(error)).toContain(message);
  });
});
