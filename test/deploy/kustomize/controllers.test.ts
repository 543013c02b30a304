import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../../common/domain/interval.ts';
import type { KubeAnswer } from '../../services/kube-apiserver.ts';
import { startKubeControllerManager } from '../../services/kube-controller-manager.ts';
import { withoutTools, type Service } from '../../services/service.ts';
import { CLUSTER_TOOLS, startCluster, type Cluster } from './cluster.ts';
import { workloadsOf, type KubeObject, type PodSpec } from './objects.ts';
import { parseContainer } from './parse.ts';
import { objectsIn, renderVariant, VARIANTS } from './render.ts';

const START_LIMIT_MS = 120_000;
const POLL_MS = 200;
const NAMESPACE = 'us-ca';
const CRON_JOB = `/apis/batch/v1/namespaces/${NAMESPACE}/cronjobs/workflow-manager-ingestor-1`;
const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

type Live = KubeObject & {
  readonly spec: PodSpec;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason: string }[] };
};

/** A rule of SelfSubjectRulesReview. */
interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

const itemsOf = ({ body }: KubeAnswer): readonly Live[] => body['items'] as Live[];

const tools = [...CLUSTER_TOOLS, 'kube-controller-manager'];
describe.skipIf(withoutTools('deploy/kustomize in a cluster', ...tools))('in a cluster with controllers', () => {
  const yaml = (): string => renderVariant(VARIANTS[0]!);
  let cluster: Cluster;
  let controllers: Service;
  let objects: readonly KubeObject[];

  const ask = (method: string, path: string, body?: unknown, token?: string): Promise<KubeAnswer> =>
    cluster.kube.ask(method, path, body, token);
  const list = async (path: string, label: string): Promise<readonly Live[]> =>
    itemsOf(await ask('GET', `${path}?labelSelector=${encodeURIComponent(`app.kubernetes.io/name=${label}`)}`));

  /** Waits for what controllers do in their own time. */
  async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      await delay(POLL_MS);
    }
  }

  beforeAll(async () => {
    objects = objectsIn(yaml());
    cluster = await startCluster();
    await cluster.makeNamespaces(objects);
    const { status, stderr } = await cluster.kubectl(['apply', '--server-side', '--filename', '-'], yaml());
    expect([stderr, status]).toEqual(['', 0]);
    // Due at once: the schedule of every minute, of which the last run was some minutes ago.
    const due = await ask('GET', CRON_JOB);
    const spec = { ...(due.body['spec'] as object), schedule: '* * * * *' };
    const changed = await ask('PUT', CRON_JOB, { ...due.body, spec });
    const lastScheduleTime = new Date(Date.now() - 3 * MINUTE_MS).toISOString();
    const marked = await ask('PUT', `${CRON_JOB}/status`, { ...changed.body, status: { lastScheduleTime } });
    expect(marked.status).toBe(200);
    controllers = await startKubeControllerManager(cluster.kube);
  }, START_LIMIT_MS);
  afterAll(async () => {
    await controllers?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  it('the CronJob makes a Job, and that a pod which the namespace admits and whose program accepts its options', async () => {
    const job = await eventually(async () => (await list(JOBS, 'workflow-manager'))[0]);
    expect(job.metadata.name).toMatch(/^workflow-manager-ingestor-1-\d+$/);
    const [pod] = await eventually(async () => {
      const pods = await list(PODS, 'workflow-manager');
      return pods.length > 0 ? pods : undefined;
    });
    const [container, ...others] = pod!.spec.containers;
    expect(others).toEqual([]);
    const parsed = await parseContainer(container!, pod!.spec, objects);
    expect(parsed).toMatchObject({ status: 0, said: '', foreignOptions: [] });
    expect(pod!.spec.serviceAccountName).toBe('workflow-manager-ingestor-1');
    // The API server has added the token of the service account.
    expect(pod!.spec.volumes!.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^kube-api-access-/));
  });

  it.each(['intake-batch', 'aggregate'])('the Deployment of %s makes a pod without a token', async (name) => {
    const [pod] = await eventually(async () => {
      const pods = await list(PODS, name);
      return pods.length > 0 ? pods : undefined;
    });
    const [container] = pod!.spec.containers;
    expect(await parseContainer(container!, pod!.spec, objects)).toMatchObject({ status: 0, said: '' });
    expect(pod!.spec.volumes!.filter((volume) => volume.name.startsWith('kube-api-access-'))).toEqual([]);
  });

  it('a run that ends with 78 is not repeated before the next one is due', async () => {
    const [pod] = await eventually(async () => {
      const pods = await list(PODS, 'workflow-manager');
      return pods.length > 0 ? pods : undefined;
    });
    const owner = (pod!.metadata as unknown as { ownerReferences: readonly { name: string }[] }).ownerReferences[0]!
      .name;
    const name = 'workflow-manager';
    const terminated = { exitCode: 78, finishedAt: new Date().toISOString(), reason: 'Error' };
    const containerStatuses = [{ name, image: 'x', imageID: '', ready: false, restartCount: 0, state: { terminated } }];
    const path = `${PODS}/${pod!.metadata.name}`;
    const latest = (await ask('GET', path)).body;
    const ended = await ask('PUT', `${path}/status`, { ...latest, status: { phase: 'Failed', containerStatuses } });
    expect(ended.status).toBe(200);
    const failed = await eventually(async () => {
      const { body } = await ask('GET', `${JOBS}/${owner}`);
      return (body as unknown as Live).status?.conditions?.find(({ type }) => type === 'Failed');
    });
    expect(failed.reason).toBe('PodFailurePolicy');
  });

  describe('the service account', () => {
    const tokenOf = async (account: string): Promise<string> => {
      const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`;
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
      const { status, body } = await ask('POST', path, request);
      expect([status, body]).toMatchObject([201, { status: { token: expect.any(String) } }]);
      return (body['status'] as { token: string }).token;
    };
    /** All but what the API server lets everybody do, which is to ask about themselves. */
    const rulesOf = async (token: string, namespace: string): Promise<readonly Rule[]> => {
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
      const { body } = await ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', review, token);
      const { resourceRules } = body['status'] as { resourceRules: readonly Rule[] };
      return resourceRules.filter(
        ({ resources }) => !resources.every((resource) => resource.startsWith('selfsubject')),
      );
    };

    it('of the publisher may list, get and delete Jobs of its namespace', async () => {
      const token = await tokenOf('workflow-manager-ingestor-1');
      expect(await rulesOf(token, NAMESPACE)).toEqual([
        { verbs: ['list', 'get', 'delete'], apiGroups: ['batch'], resources: ['jobs'] },
      ]);
      expect(await rulesOf(token, 'default')).toEqual([]);
      const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'facile-container', image: 'x' }] } };
      const left = { metadata: { name: 'left-behind' }, spec: { suspend: true, template } };
      expect((await ask('POST', JOBS, left)).status).toBe(201);
      const path = `${JOBS}/left-behind`;
      const statuses = [];
      for (const [method, of, body] of [
        ['GET', JOBS],
        ['GET', path],
        ['POST', JOBS, left],
        ['PUT', path, left],
        ['DELETE', JOBS],
        ['GET', PODS],
        ['GET', `/api/v1/namespaces/${NAMESPACE}/secrets`],
        ['GET', '/apis/batch/v1/namespaces/default/jobs'],
        ['GET', `/apis/batch/v1/namespaces/${NAMESPACE}/cronjobs`],
        ['DELETE', path, { propagationPolicy: 'Background' }],
      ] as const) {
        statuses.push((await ask(method, of, body, token)).status);
      }
      expect(statuses).toEqual([200, 200, 403, 403, 403, 403, 403, 403, 403, 200]);
    });

    it('of the publisher has all that kubectl auth can-i --list shows', async () => {
      const as = `--as=system:serviceaccount:${NAMESPACE}:workflow-manager-ingestor-1`;
      const groups = ['serviceaccounts', `serviceaccounts:${NAMESPACE}`, 'authenticated'];
      const impersonation = [as, ...groups.map((group) => `--as-group=system:${group}`)];
      const { stdout } = await cluster.kubectl([
        'auth',
        'can-i',
        '--list',
        `--namespace=${NAMESPACE}`,
        ...impersonation,
      ]);
      const lines = stdout.split('\n').filter((line) => /^\S/.test(line) && !/^(Resources|selfsubject)/.test(line));
      expect(lines.map((line) => line.replaceAll(/ +/g, ' '))).toEqual(['jobs.batch [] [] [list get delete]']);
    });

    it.each(['intake-batch-ingestor-1', 'aggregate-ingestor-1'])('%s may do nothing', async (account) => {
      expect(await rulesOf(await tokenOf(account), NAMESPACE)).toEqual([]);
    });
  });

  it('everything that was rendered is there', async () => {
    expect(workloadsOf(objects)).toHaveLength(3);
    const { status, stdout } = await cluster.kubectl(
      ['diff', '--server-side', '--filename', '-'],
      withoutSchedule(yaml()),
    );
    expect([stdout, status]).toEqual(['', 0]);
  });
});

/** Changed above so that the CronJob is due. */
const withoutSchedule = (yaml: string): string => yaml.replace("schedule: '*/10 * * * *'", "schedule: '* * * * *'");
