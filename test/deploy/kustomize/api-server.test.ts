import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutTools } from '../../services/service.ts';
import { readText, REPOSITORY } from '../../support/repository.ts';
import { CLUSTER_TOOLS, startCluster, type Cluster, type Said } from './cluster.ts';
import { objectsIn, render, renderVariant, VARIANTS } from './render.ts';

const START_LIMIT_MS = 90_000;
const DRY_RUN = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--filename', '-'];

describe.skipIf(withoutTools('deploy/kustomize at an API server', ...CLUSTER_TOOLS))('an API server', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, START_LIMIT_MS);
  afterAll(() => cluster[Symbol.asyncDispose]());

  async function dryRun(yaml: string): Promise<Said> {
    await cluster.makeNamespaces(objectsIn(yaml));
    return cluster.kubectl(DRY_RUN, yaml);
  }

  it.each(VARIANTS.map((variant) => [variant.title, variant] as const))(
    'takes %s without a warning',
    async (_, variant) => {
      const yaml = renderVariant(variant);
      const { status, stdout, stderr } = await dryRun(yaml);
      expect([stderr, status]).toEqual(['', 0]);
      const applied = stdout.trim().split('\n');
      expect(applied).toHaveLength(objectsIn(yaml).length);
      for (const line of applied) expect(line).toMatch(/serverside-applied \(server dry run\)$/);
    },
  );

  it.each(['rules', 'rules-aws', 'rules-google'])('takes the dashboards and %s without a warning', async (rules) => {
    const monitoring = join(REPOSITORY, 'deploy/monitoring');
    const more = readText(`deploy/monitoring/prometheus-operator/${rules}.yaml`);
    // The operator's own namespace is not ours to make.
    const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: monitoring }';
    const yaml = [namespace, render(monitoring), more].join('\n---\n');
    const { status, stderr } = await dryRun(yaml);
    expect([stderr, status]).toEqual(['', 0]);
  });

  it.each([
    ['an unknown field', 'enableServiceLinks: false', 'enableServiceLink: false', /enableServiceLink/],
    ['a schedule that is none', "schedule: '*/10 * * * *'", "schedule: '*/10 61 * * *'", /schedule/],
    ['an exit code of no container', 'containerName: workflow-manager', 'containerName: manager', /containerName/],
    ['a trigger without a type', 'type: prometheus', 'kind: prometheus', /kind/],
    ['a number of workers that is a text', 'minReplicaCount: 0', 'minReplicaCount: none', /minReplicaCount/],
    ['an endpoint of metrics that cannot be', 'interval: 30s', 'interval: half a minute', /interval/],
    [
      'a pod that may gain privileges',
      'allowPrivilegeEscalation: false',
      'allowPrivilegeEscalation: true',
      /PodSecurity/,
    ],
  ])('would not take %s in silence', async (_, from, to, said) => {
    const yaml = renderVariant(VARIANTS[0]!);
    expect(yaml).toContain(from);
    const { stderr } = await dryRun(yaml.replaceAll(from, to));
    expect(stderr).toMatch(said);
  });
});
