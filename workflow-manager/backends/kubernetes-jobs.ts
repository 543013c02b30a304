import type { BatchV1Api, V1Job, V1JobCondition } from '@kubernetes/client-node';
import pRetry from 'p-retry';
import { UsageError } from '../../common/errors.ts';
import { ClusterUnavailable } from '../errors.ts';
import type { Job, Jobs } from '../jobs.ts';
import { loadCluster, type ClusterSettings, type KubernetesCluster } from './kubernetes-cluster.ts';
import { failureOf, refusalOf, type JobsRequest } from './kubernetes-failures.ts';

export interface KubernetesJobsSettings extends ClusterSettings {
  readonly namespace: string;
  /** As of `kubectl get -l`; the Jobs that it selects are listed as `isSelected`. */
  readonly labelSelector?: string | undefined;
  /** Told of each attempt that found the API server unavailable. */
  readonly onUnavailable?: ((failure: ClusterUnavailable) => void) | undefined;
  /** How long a page of the listing is asked for while the API server is unavailable. Default: a minute. */
  readonly listPatienceMs?: number | undefined;
  /** The same for deleting one Job; shorter, as many Jobs may wait. Default: ten seconds. */
  readonly deletePatienceMs?: number | undefined;
  /** The first pause between two attempts; each further one is a fifth longer. Default: half a second. */
  readonly firstPauseMs?: number | undefined;
}

/** Jobs of a page. */
const PAGE_SIZE = 500;

/** An attempt may take this long; connections to an API server that is gone can hang. */
const ATTEMPT_LIMIT_MS = 30_000;

/** A listing expires once it takes minutes; more often than this it will never end. */
const MAX_RESTARTS = 3;

/**
 * The Jobs of a namespace in a Kubernetes cluster. Cheap: library and configuration are loaded when first needed.
 * @throws UsageError for an empty label selector, which Kubernetes takes for all Jobs
 */
export function openKubernetesJobs(settings: KubernetesJobsSettings): Jobs {
  if (settings.labelSelector?.trim() === '') {
    throw new UsageError('an empty label selector selects every job; leave it out, or give one like app=intake');
  }
  return new KubernetesJobs(settings);
}

interface Page {
  readonly jobs: readonly V1Job[];
  /** Token of the page that follows: empty for the first one, as the listing starts again; `undefined` after the last. */
  readonly next: string | undefined;
}

class KubernetesJobs implements Jobs {
  readonly url: string;
  readonly #settings: KubernetesJobsSettings;
  #cluster: Promise<KubernetesCluster> | undefined;

  constructor(settings: KubernetesJobsSettings) {
    this.#settings = settings;
    this.url = `kubernetes:/apis/batch/v1/namespaces/${settings.namespace}/jobs`;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<Job, void, undefined> {
    const { labelSelector } = this.#settings;
    // The server knows how to read a selector; so it is asked twice, rather than us reading labels.
    const selected = new Set<string>();
    if (labelSelector !== undefined) {
      for await (const job of this.#listed(labelSelector, signal)) {
        selected.add(job.uid);
        yield job;
      }
    }
    for await (const job of this.#listed(undefined, signal)) if (!selected.has(job.uid)) yield job;
  }

  async delete({ name, uid }: Job, signal?: AbortSignal): Promise<'deleted' | 'gone'> {
    const { namespace, deletePatienceMs = 10_000 } = this.#settings;
    // Without a policy the pods of a Job would stay; without the UID a new Job of the same name might go.
    const body = { propagationPolicy: 'Background', preconditions: { uid } };
    return this.#request({ verb: 'delete', name }, deletePatienceMs, signal, async (api) => {
      try {
        await api.deleteNamespacedJob({ name, namespace, body });
        return 'deleted';
      } catch (err) {
        const status = refusalOf(err)?.status;
        if (status === 404 || status === 409) return 'gone';
        throw err;
      }
    });
  }

  async *#listed(
    labelSelector: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Job, void, undefined> {
    const { namespace, listPatienceMs = 60_000 } = this.#settings;
    const query = { namespace, limit: PAGE_SIZE, ...(labelSelector === undefined ? {} : { labelSelector }) };
    let restarts = 0;
    for (let token: string | undefined = ''; token !== undefined;) {
      const at: string = token;
      const page: Page = await this.#request({ verb: 'list' }, listPatienceMs, signal, (api) => pageAt(api, query, at));
      for (const job of page.jobs) {
        const listed = toJob(job, labelSelector !== undefined);
        if (listed) yield listed;
      }
      if (page.next === '' && ++restarts > MAX_RESTARTS) {
        throw new ClusterUnavailable(`the listing of the jobs in namespace ${namespace} expires before its end`);
      }
      token = page.next;
    }
  }

  /** Asks until the API server answers or `patienceMs` are over. */
  async #request<T>(
    what: Pick<JobsRequest, 'verb' | 'name'>,
    patienceMs: number,
    signal: AbortSignal | undefined,
    ask: (api: BatchV1Api) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const cluster = await (this.#cluster ??= loadCluster(this.#settings));
    const request = { ...what, namespace: this.#settings.namespace, server: cluster.url };
    const attempt = async (): Promise<T> => {
      const limit = AbortSignal.timeout(ATTEMPT_LIMIT_MS);
      try {
        return await ask(cluster.batch(signal ? AbortSignal.any([signal, limit]) : limit));
      } catch (err) {
        signal?.throwIfAborted();
        throw failureOf(err, request);
      }
    };
    return pRetry(attempt, {
      // The pauses of the reference, when it had Kubernetes to wait for.
      minTimeout: this.#settings.firstPauseMs ?? 500,
      factor: 1.2,
      retries: Number.POSITIVE_INFINITY,
      maxRetryTime: patienceMs,
      signal,
      shouldRetry: ({ error }) => error instanceof ClusterUnavailable,
      onFailedAttempt: ({ error }) => {
        if (error instanceof ClusterUnavailable) this.#settings.onUnavailable?.(error);
      },
    });
  }
}

async function pageAt(
  api: BatchV1Api,
  query: { readonly namespace: string; readonly limit: number; readonly labelSelector?: string },
  token: string,
): Promise<Page> {
  try {
    const { items, metadata } = await api.listNamespacedJob({
      ...query,
      ...(token === '' ? {} : { _continue: token }),
    });
    // The server ends a listing by leaving the token out or empty.
    return { jobs: items, next: metadata?._continue || undefined };
  } catch (err) {
    const refusal = refusalOf(err);
    // The listing is older than the server remembers. It offers to go on from here as things are now.
    if (refusal?.status === 410 && token !== '') return { jobs: [], next: refusal.continue ?? '' };
    throw err;
  }
}

/** @returns `undefined` for what has no identity, as nothing has that the server keeps */
function toJob({ metadata, spec, status }: V1Job, isSelected: boolean): Job | undefined {
  const { namespace, name, uid, creationTimestamp } = metadata ?? {};
  if (namespace === undefined || name === undefined || uid === undefined || !creationTimestamp) return undefined;
  return {
    namespace,
    name,
    uid,
    createdAt: creationTimestamp,
    finishedAt: finishTime(status?.conditions ?? [], status?.completionTime),
    containers: spec?.template.spec?.containers.map((container) => container.name) ?? [],
    owners: (metadata?.ownerReferences ?? []).map(({ kind, controller }) => ({
      kind,
      isController: controller ?? false,
    })),
    isBeingDeleted: metadata?.deletionTimestamp !== undefined,
    isSelected,
  };
}

/** A Job that has finished at a time that nobody recorded counts as active: of that, its age is known. */
function finishTime(conditions: readonly V1JobCondition[], completionTime: Date | undefined): Date | undefined {
  const isTrue = (type: string): V1JobCondition | undefined =>
    conditions.find((condition) => condition.type === type && condition.status === 'True');
  const complete = isTrue('Complete');
  return complete ? (completionTime ?? complete.lastTransitionTime) : isTrue('Failed')?.lastTransitionTime;
}
