import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../common/domain/duration.ts';
import { EXIT_STATUS } from '../../../common/runtime/exit-status.ts';
import { withoutTools } from '../../services/service.ts';
import { isSelected, objectNamed, type Container, type KubeObject, type Selector, type Workload } from './objects.ts';
import { nameOf, renderedSet, type RenderedSet } from './rendered-set.ts';
import { VARIANTS } from './render.ts';

const DIGEST = /^\S+@sha256:[0-9a-f]{64}$/;

/** What we may not name in more than one place. */
interface CronJobSpec {
  readonly concurrencyPolicy: string;
  readonly startingDeadlineSeconds: number;
  readonly timeZone: string;
  readonly schedule: string;
  readonly successfulJobsHistoryLimit: number;
  readonly failedJobsHistoryLimit: number;
  readonly jobTemplate: {
    readonly spec: {
      readonly activeDeadlineSeconds: number;
      readonly ttlSecondsAfterFinished: number;
      readonly backoffLimit: number;
      readonly podFailurePolicy: {
        readonly rules: readonly {
          readonly action: string;
          readonly onPodConditions?: readonly { readonly type: string }[];
          readonly onExitCodes?: { readonly containerName: string; readonly values: readonly number[] };
        }[];
      };
    };
  };
}

const mebibytes = (quantity: string): number => {
  const [, amount, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity)!;
  return Number(amount) * (unit === 'Gi' ? 1024 : 1);
};

/** `--NAME=VALUE` of a container. */
function option({ args = [] }: Container, name: string): string {
  const found = args.find((arg) => arg.startsWith(`--${name}=`));
  return found!.slice(name.length + 3);
}

describe.skipIf(withoutTools('rendering of deploy/kustomize', 'kubectl'))('the objects of', () => {
  describe.each(VARIANTS.map((variant) => [variant.title, variant] as const))('%s', (_, variant) => {
    const set = (): RenderedSet => renderedSet(variant);
    const objects = (): readonly KubeObject[] => set().objects;
    const ofKind = (kind: string): readonly KubeObject[] => set().ofKind(kind);
    const workloads = (): readonly Workload[] => set().workloads;
    const workers = (): readonly Workload[] => set().workers;
    const publisher = (): Workload => set().publisher;
    const containers = (): Container[] =>
      workloads().flatMap(({ template: { spec } }) => [...(spec.initContainers ?? []), ...spec.containers]);

    it('are one publisher and two workers, all in the namespace of the locality', () => {
      expect(
        workloads()
          .map(({ title }) => title)
          .sort(),
      ).toEqual([
        'CronJob workflow-manager-ingestor-1',
        'Deployment aggregate-ingestor-1',
        'Deployment intake-batch-ingestor-1',
      ]);
      const [namespace, ...others] = ofKind('Namespace');
      expect(others).toEqual([]);
      for (const { kind, metadata } of objects()) {
        if (kind !== 'Namespace') expect(metadata.namespace).toBe(namespace!.metadata.name);
      }
    });

    it('keep what kustomize needed only for itself out of the cluster', () => {
      expect(ofKind('ConfigMap').map(({ metadata }) => metadata.name)).toEqual([
        expect.stringMatching(/^options-ingestor-1-[a-z0-9]{10}$/),
      ]);
      expect(JSON.stringify(objects())).not.toMatch(
        /"(QUEUE|REGION|PROJECT|SUBSCRIPTION)"|\/PROJECT\/|="SUBSCRIPTION"/,
      );
    });

    it('never hold a secret', () => expect(ofKind('Secret')).toEqual([]));

    it('have the namespace enforce the restricted profile of pod security', () => {
      const [{ metadata }] = ofKind('Namespace') as [KubeObject];
      for (const mode of ['enforce', 'audit', 'warn']) {
        expect(metadata.labels).toHaveProperty([`pod-security.kubernetes.io/${mode}`], 'restricted');
      }
    });

    it('confine every pod and container', () => {
      for (const { template } of workloads()) {
        expect(template.spec).toMatchObject({
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65_532,
            fsGroup: 65_532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
        });
      }
      for (const { securityContext, image } of containers()) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(image).toMatch(DIGEST);
      }
    });

    it('state what every container needs, and the heap fits into its memory', () => {
      for (const { resources, env = [] } of containers()) {
        expect(resources).toMatchObject({ requests: { cpu: expect.any(String) }, limits: { cpu: expect.any(String) } });
        const memory = mebibytes(resources!.limits.memory);
        expect(mebibytes(resources!.requests.memory)).toBeLessThanOrEqual(memory);
        const heap = /^--max-old-space-size=(\d+)$/.exec(env.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '');
        if (heap) expect(Number(heap[1])).toBeLessThanOrEqual(0.75 * memory);
      }
    });

    it('give each program an account of its own, and a token of the cluster to the reaper alone', () => {
      const accounts = workloads().map(({ template }) => template.spec.serviceAccountName);
      expect(accounts.toSorted()).toEqual(
        workloads()
          .map(({ object }) => object.metadata.name)
          .toSorted(),
      );
      for (const name of accounts) {
        expect(objectNamed(objects(), 'ServiceAccount', name)).toMatchObject({ automountServiceAccountToken: false });
      }
      const mounted = workloads().filter(({ template }) => template.spec.automountServiceAccountToken !== false);
      expect(mounted.map(nameOf)).toEqual(['workflow-manager']);
    });

    it('let the reaper list, get and delete Jobs, and nobody anything else', () => {
      const [role, ...roles] = ofKind('Role') as (KubeObject & { readonly rules: unknown })[];
      expect([roles, ofKind('ClusterRole'), ofKind('ClusterRoleBinding')]).toEqual([[], [], []]);
      expect(role!.rules).toEqual([{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'get', 'delete'] }]);
      const [{ metadata }, account] = [role!, publisher().template.spec.serviceAccountName];
      expect(ofKind('RoleBinding')).toMatchObject([
        {
          roleRef: { kind: 'Role', name: metadata.name },
          subjects: [{ kind: 'ServiceAccount', name: account, namespace: metadata.namespace }],
        },
      ]);
    });

    it('start one publisher after the other, each with an end', () => {
      const { spec, metadata } = publisher().object;
      const cron = spec as CronJobSpec;
      expect(metadata.name.length).toBeLessThanOrEqual(52);
      expect(cron).toMatchObject({ concurrencyPolicy: 'Forbid', timeZone: 'Etc/UTC' });
      const minutes = Number(/^\*\/(\d+) \* \* \* \*$/.exec(cron.schedule)?.[1]);
      const job = cron.jobTemplate.spec;
      expect(job.activeDeadlineSeconds).toBeLessThan(minutes * 60);
      expect(cron.startingDeadlineSeconds).toBeGreaterThan(10);
      expect(cron.startingDeadlineSeconds).toBeLessThan(minutes * 60);
      expect([cron.successfulJobsHistoryLimit, cron.failedJobsHistoryLimit]).toEqual([5, 3]);
      expect(job.ttlSecondsAfterFinished).toBeGreaterThanOrEqual(3600);
      expect(job.backoffLimit).toBeLessThanOrEqual(1);
      expect(publisher().template.spec.restartPolicy).toBe('Never');
    });

    it('end a run for good on exactly those exit statuses that promise that nothing was done', () => {
      const { rules } = (publisher().object.spec as CronJobSpec).jobTemplate.spec.podFailurePolicy;
      const { usage, permission, configuration } = EXIT_STATUS;
      expect(rules).toMatchObject([
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
        {
          action: 'FailJob',
          onExitCodes: {
            containerName: 'workflow-manager',
            operator: 'In',
            values: [usage, permission, configuration],
          },
        },
      ]);
    });

    it('give workers more time to end than they take', () => {
      for (const { template } of workers()) {
        const [container] = template.spec.containers;
        const grace = parseDuration(option(container!, 'shutdown-grace')) as { readonly ms: number };
        const margin = template.spec.terminationGracePeriodSeconds! - grace.ms / 1000;
        // docs/facilitator.md: half a minute above.
        expect(margin).toBe(30);
      }
    });

    it('ask workers how they are where they answer', () => {
      for (const { template } of workers()) {
        const [container] = template.spec.containers;
        const { startupProbe, livenessProbe, readinessProbe } = container!;
        expect(container!.ports).toContainEqual(
          expect.objectContaining({
            name: 'metrics',
            containerPort: Number(option(container!, 'metrics-scrape-port')),
          }),
        );
        expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet)).toEqual([
          { path: '/healthz', port: 'metrics' },
          { path: '/healthz', port: 'metrics' },
          { path: '/readyz', port: 'metrics' },
        ]);
        // Its checks take up to 5 s.
        expect(readinessProbe!.timeoutSeconds).toBe(6);
        expect(startupProbe!.periodSeconds * startupProbe!.failureThreshold).toBeGreaterThanOrEqual(120);
      }
    });

    it('spread workers, drain them one by one, and leave their number to the autoscaler', () => {
      for (const { object, template } of workers()) {
        const { labels } = template.metadata;
        const spread = template.spec.topologySpreadConstraints!;
        expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
          'topology.kubernetes.io/zone',
          'kubernetes.io/hostname',
        ]);
        for (const { labelSelector } of spread) expect(isSelected(labelSelector, labels)).toBe(true);
        const { spec } = objectNamed(objects(), 'PodDisruptionBudget', object.metadata.name);
        expect(spec).toMatchObject({ maxUnavailable: 1 });
        expect(isSelected((spec as { selector: Selector }).selector, labels)).toBe(true);
        expect(object.spec).not.toHaveProperty('replicas');
        expect(object.spec).toMatchObject({
          selector: { matchLabels: { 'app.kubernetes.io/instance': 'us-ca-ingestor-1' } },
        });
      }
    });

    it('mount keys as files that may change, readable by the program alone', () => {
      for (const { template } of workers()) {
        const [container] = template.spec.containers;
        for (const key of ['packet-decryption-keys', 'batch-signing-private-key']) {
          const path = option(container!, `${key}-file`);
          const mount = container!.volumeMounts!.find(({ mountPath }) => path === `${mountPath}/secret_key`);
          expect(mount).toMatchObject({ readOnly: true });
          expect(mount).not.toHaveProperty('subPath');
          const volume = template.spec.volumes!.find(({ name }) => name === mount!.name);
          expect(volume?.secret?.defaultMode).toBe(0o440);
        }
      }
      const variables = containers().flatMap(({ env = [] }) => env.map(({ name }) => name));
      expect(variables.filter((name) => /PRIVATE_KEY$|DECRYPTION_KEYS$/.test(name))).toEqual([]);
    });

    it('name the signing key as its Secret', () => {
      for (const { template } of workers()) {
        const [{ env = [] }] = template.spec.containers as [Container];
        const id = env.find(({ name }) => name === 'FACILITATOR_BATCH_SIGNING_PRIVATE_KEY_IDENTIFIER')?.value;
        const secrets = template.spec.volumes!.flatMap(({ secret }) => (secret ? [secret.secretName] : []));
        expect(secrets).toContain(id);
        expect(secrets).toContain('us-ca-ingestor-1-packet-decryption-keys');
      }
    });

    if (variant.overlay !== 'local') {
      it('scale each worker by the queue that it takes tasks from', () => {
        const scaler = variant.title.endsWith('without KEDA') ? 'HorizontalPodAutoscaler' : 'ScaledObject';
        expect([...ofKind('HorizontalPodAutoscaler'), ...ofKind('ScaledObject')]).toHaveLength(2);
        for (const { object } of workers()) {
          const { spec } = objectNamed(objects(), scaler, object.metadata.name);
          const task = object.metadata.name.startsWith('intake') ? 'intake' : 'aggregate';
          expect(spec).toMatchObject({ scaleTargetRef: { name: object.metadata.name } });
          expect(JSON.stringify(spec)).toMatch(new RegExp(`prod-us-ca-ingestor-1-${task}["\\\\]`));
          if (scaler === 'HorizontalPodAutoscaler') continue;
          const minReplicaCount = task === 'intake' ? 1 : 0;
          const type = variant.overlay === 'gke' ? 'prometheus' : 'aws-sqs-queue';
          expect(spec).toMatchObject({ minReplicaCount, triggers: [{ type }] });
          const { triggers } = spec as { triggers: readonly [{ authenticationRef: { name: string } }] };
          expect(
            objectNamed(objects(), 'TriggerAuthentication', triggers[0].authenticationRef.name).spec,
          ).toMatchObject({
            podIdentity: { provider: variant.overlay === 'gke' ? 'gcp' : 'aws' },
          });
        }
      });
    }

    it('tell programs where there is a metadata server', () => {
      if (variant.overlay === 'local') return;
      const value = variant.overlay === 'gke' ? 'assume-present' : 'none';
      for (const { template } of workloads()) {
        expect(template.spec.containers[0]!.env).toContainEqual({ name: 'METADATA_SERVER_DETECTION', value });
      }
    });

    it('annotate service accounts with roles for IRSA only', () => {
      const isIrsa = variant.swaps.some(([, to]) => to === 'irsa');
      const role = (task: string): object => ({
        'eks.amazonaws.com/role-arn': `arn:aws:iam::012345678901:role/${task}`,
      });
      const annotations = new Map(
        ofKind('ServiceAccount').map(({ metadata }) => [metadata.name, metadata.annotations]),
      );
      expect(annotations.get('workflow-manager-ingestor-1')).toEqual(isIrsa ? role('publisher') : undefined);
      expect(annotations.get('intake-batch-ingestor-1')).toEqual(isIrsa ? role('intake') : undefined);
      expect(annotations.get('aggregate-ingestor-1')).toEqual(isIrsa ? role('aggregate') : undefined);
    });

    it('make the Secrets that pods mount, with External Secrets', () => {
      if (!variant.swaps.some(([, to]) => to === 'external-secrets'))
        return expect(ofKind('ExternalSecret')).toEqual([]);
      const made = ofKind('ExternalSecret').map(({ spec }) => (spec as { target: { name: string } }).target.name);
      const mounted = workloads().flatMap(({ template }) =>
        (template.spec.volumes ?? []).flatMap(({ secret }) => (secret ? [secret.secretName] : [])),
      );
      expect(new Set(made)).toEqual(new Set(mounted));
    });
  });
});
