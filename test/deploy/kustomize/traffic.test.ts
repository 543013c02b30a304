import { describe, expect, it } from 'vitest';
import { withoutTools } from '../../services/service.ts';
import { isSelected, objectNamed, type Container, type Selector, type Workload } from './objects.ts';
import { renderedSet, nameOf, WORKERS } from './rendered-set.ts';
import { VARIANTS, type Overlay } from './render.ts';

interface NetworkPolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly Port[] }[];
  readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly Port[] }[];
}
interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Port {
  readonly protocol: string;
  readonly port: number;
}

/** Blocks of addresses where credentials of pods are. */
const CREDENTIALS: Readonly<Record<Overlay, readonly string[]>> = {
  gke: ['169.254.169.252/32', '169.254.169.254/32'],
  eks: ['169.254.170.23/32', 'fd00:ec2::23/128'],
  local: [],
};

describe.skipIf(withoutTools('traffic in deploy/kustomize', 'kubectl'))('the network policies of', () => {
  describe.each(VARIANTS.map((variant) => [variant.title, variant] as const))('%s', (_, variant) => {
    const ofKind = (kind: string): ReturnType<ReturnType<typeof renderedSet>['ofKind']> =>
      renderedSet(variant).ofKind(kind);
    const workloads = (): readonly Workload[] => renderedSet(variant).workloads;
    const policiesFor = (workload: Workload): NetworkPolicySpec[] =>
      ofKind('NetworkPolicy')
        .map(({ spec }) => spec as NetworkPolicySpec)
        .filter(({ podSelector }) => isSelected(podSelector, workload.template.metadata.labels));

    it('deny all traffic that is not named', () => {
      const everything = ofKind('NetworkPolicy').filter(
        ({ spec }) => JSON.stringify((spec as NetworkPolicySpec).podSelector) === '{}',
      );
      expect(everything).toMatchObject([{ spec: { policyTypes: ['Ingress', 'Egress'] } }]);
      expect(everything[0]!.spec).not.toHaveProperty('egress');
      for (const workload of workloads()) {
        const policies = policiesFor(workload);
        const incoming = policies.flatMap(({ ingress = [] }) => ingress);
        const expected = WORKERS.includes(nameOf(workload))
          ? [{ from: [{ namespaceSelector: expect.anything() }], ports: [{ protocol: 'TCP', port: 8080 }] }]
          : [];
        expect(incoming).toEqual(expected);
        const outgoing = policies.flatMap(({ egress = [] }) => egress);
        const ports = new Set(outgoing.flatMap((rule) => (rule.ports ?? []).map(({ port }) => port)));
        expect([...ports].toSorted((a, b) => a - b)).toEqual(portsOf(variant.overlay, nameOf(workload)));
        for (const rule of outgoing) expect(rule.ports).not.toEqual([]);
      }
    });

    it('keep the metadata of nodes out of reach, but for the credentials of pods', () => {
      for (const workload of workloads()) {
        const blocks = policiesFor(workload).flatMap(({ egress = [] }) =>
          egress.flatMap(({ to = [], ports = [] }) =>
            to.flatMap(({ ipBlock }) => (ipBlock ? [{ ipBlock, ports }] : [])),
          ),
        );
        const wide = blocks.filter(({ ipBlock }) => ipBlock.cidr.endsWith('/0'));
        expect(wide.map(({ ipBlock }) => ipBlock.except?.join())).toEqual([
          '169.254.0.0/16',
          'fe80::/10,fd00:ec2::/32',
        ]);
        const metadata = blocks.filter(({ ipBlock }) => /^169\.254\.1[67]|^fd00/.test(ipBlock.cidr));
        expect(metadata.map(({ ipBlock }) => ipBlock.cidr)).toEqual(CREDENTIALS[variant.overlay]);
      }
    });

    it('find the address of the Pushgateway behind the policy that allows it', () => {
      const [{ env = [] }] = renderedSet(variant).publisher.template.spec.containers as [Container];
      const gateway = env.find(({ name }) => name === 'WORKFLOW_MANAGER_PUSH_GATEWAY')?.value;
      expect(gateway).toBe('prometheus-pushgateway.monitoring:9091');
      const { spec } = objectNamed(renderedSet(variant).objects, 'NetworkPolicy', 'push-gateway-ingestor-1');
      expect(JSON.stringify(spec)).toContain('"monitoring"');
    });

    if (variant.overlay === 'local') return;
    it('let Prometheus scrape the workers of this instance', () => {
      const [monitor] = ofKind('PodMonitor');
      const { selector, podMetricsEndpoints } = monitor!.spec as { selector: Selector; podMetricsEndpoints: unknown };
      expect(podMetricsEndpoints).toMatchObject([{ port: 'metrics', path: '/metrics' }]);
      const scraped = workloads().filter(({ template }) => isSelected(selector, template.metadata.labels));
      expect(scraped.map(nameOf).toSorted()).toEqual(WORKERS.toSorted());
      expect(selector.matchLabels).toHaveProperty(['app.kubernetes.io/instance'], 'us-ca-ingestor-1');
    });
  });
});

function portsOf(overlay: Overlay, program: string): number[] {
  const own = program === 'workflow-manager' ? [9091] : [];
  const apiServer = overlay === 'local' && program === 'workflow-manager' ? [6443] : [];
  const metadata = { gke: [80, 988], eks: [80], local: [] }[overlay];
  return [53, 443, ...own, ...apiServer, ...metadata].toSorted((a, b) => a - b);
}
