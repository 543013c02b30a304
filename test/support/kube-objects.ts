import pLimit from 'p-limit';
import type { KubeAnswer, KubeApiServer } from '../services/kube-apiserver.ts';

export interface NewJob {
  readonly name: string;
  /** Default: an older version's. */
  readonly container?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly controller?: boolean };
}

const jobsPath = (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`;

/** Objects of a cluster as an administrator makes them. Every method throws if the API server refuses. */
export class KubeObjects {
  readonly #kube: KubeApiServer;

  constructor(kube: KubeApiServer) {
    this.#kube = kube;
  }

  async namespace(name: string): Promise<void> {
    await this.#make('/api/v1/namespaces', { metadata: { name } });
  }

  async job(namespace: string, { name, container = 'facile-container', labels, owner }: NewJob): Promise<void> {
    const ownerReferences = owner
      ? [{ ...owner, name: 'owner', uid: '5b9e9b8e-5f0b-4f53-8a3c-1f1f1f1f1f1f' }]
      : undefined;
    await this.#make(jobsPath(namespace), {
      metadata: { name, labels, ownerReferences },
      spec: {
        backoffLimit: 1,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: container, image: 'facilitator' }] } },
      },
    });
  }

  /** Creates many, some at a time. */
  async jobs(namespace: string, names: readonly string[]): Promise<void> {
    const limit = pLimit(20);
    await Promise.all(names.map((name) => limit(() => this.job(namespace, { name }))));
  }

  /** What the Job controller would do in time: the Job has started at `at` and finished a minute later. */
  async finish(namespace: string, name: string, how: 'Complete' | 'Failed', at: Date): Promise<void> {
    const path = `${jobsPath(namespace)}/${name}`;
    const { body } = await this.#ask('GET', path);
    const end = new Date(at.getTime() + 60_000).toISOString();
    const types = how === 'Complete' ? ['SuccessCriteriaMet', how] : ['FailureTarget', how];
    const status = {
      startTime: at.toISOString(),
      ...(how === 'Complete' ? { completionTime: end, succeeded: 1 } : { failed: 2 }),
      conditions: types.map((type) => ({
        type,
        status: 'True',
        reason: 'Test',
        lastProbeTime: end,
        lastTransitionTime: end,
      })),
    };
    await this.#ask('PUT', `${path}/status`, { ...body, status });
  }

  async delete(namespace: string, name: string): Promise<void> {
    await this.#ask('DELETE', `${jobsPath(namespace)}/${name}`);
  }

  /** Versions of all Jobs by name. */
  async versions(namespace: string): Promise<Map<string, string>> {
    const { body } = await this.#ask('GET', jobsPath(namespace));
    // A JobList, of which every item has these.
    const items = body['items'] as { metadata: { name: string; resourceVersion: string } }[];
    return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  }

  /**
   * A service account that may do so much with Jobs.
   * @returns its token, with which the API server has been seen to allow that
   */
  async serviceAccount(namespace: string, name: string, verbs: readonly string[]): Promise<string> {
    await this.#make(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
    const access = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    if (verbs.length > 0) {
      await this.#make(`${access}/roles`, {
        metadata: { name },
        rules: [{ apiGroups: ['batch'], resources: ['jobs'], verbs }],
      });
      await this.#make(`${access}/rolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      });
    }
    const { body } = await this.#make(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, { spec: {} });
    // A TokenRequest, answered.
    const { token } = body['status'] as { token: string };
    for (const verb of verbs) while (!(await this.#mayJobs(namespace, verb, token))) continue;
    return token;
  }

  async #mayJobs(namespace: string, verb: string, token: string): Promise<boolean> {
    const resourceAttributes = { namespace, verb, group: 'batch', resource: 'jobs' };
    const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const { body } = await this.#kube.ask('POST', review, { spec: { resourceAttributes } }, token);
    return (body['status'] as { allowed?: boolean } | undefined)?.allowed === true;
  }

  #make(path: string, object: object): Promise<KubeAnswer> {
    return this.#ask('POST', path, object);
  }

  async #ask(method: string, path: string, body?: object): Promise<KubeAnswer> {
    const answer = await this.#kube.ask(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer;
  }
}
