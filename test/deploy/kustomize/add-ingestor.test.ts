import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { withoutTools } from '../../services/service.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';
import { objectNamed, workloadsOf } from './objects.ts';
import { parseContainer } from './parse.ts';
import { KUSTOMIZE, objectsIn, OVERLAYS, render, type Overlay } from './render.ts';

type Values = Readonly<Record<string, unknown>>;

/** In the place of `ingestor-1` everywhere. */
const ANOTHER = 'ingestor-2';

describe('add-ingestor', () => {
  const directory = temporaryDirectory();
  let root = '';
  beforeEach(() => {
    root = join(directory(), 'kustomize');
    cpSync(KUSTOMIZE, root, { recursive: true });
  });
  const overlayOf = (overlay: Overlay): string => join(root, 'overlays', overlay);

  function add(overlay: Overlay, values: unknown): { readonly status: number | null; readonly stderr: string } {
    const file = join(directory(), 'values.json');
    writeFileSync(file, typeof values === 'string' ? values : JSON.stringify(values));
    const program = join(root, 'add-ingestor.mjs');
    return spawnSync(process.execPath, [program, overlayOf(overlay), file], { encoding: 'utf8' });
  }

  /** Those of the example, which is there already. */
  function valuesOf(overlay: Overlay): Values {
    const read = (name: string): object =>
      JSON.parse(readFileSync(join(overlayOf(overlay), 'us-ca-ingestor-1', `${name}.json`), 'utf8')) as object;
    const accounts = { publisher: 'workflow-manager', intake: 'intake-batch', aggregate: 'aggregate' };
    return {
      ...{ instance: 'us-ca-ingestor-1', locality: 'us-ca', ingestor: 'ingestor-1', namespace: 'us-ca' },
      'service-accounts': Object.fromEntries(
        Object.entries(accounts).map(([program, name]) => [program, { name: `${name}-ingestor-1`, annotations: {} }]),
      ),
      ...Object.fromEntries(
        ['workflow-manager', 'intake-batch-worker', 'aggregate-worker'].map((name) => [name, read(name)]),
      ),
    };
  }

  const renamed = (values: Values): Values =>
    JSON.parse(JSON.stringify(values).replaceAll('ingestor-1', ANOTHER)) as Values;
  const contents = (path: string): Map<string, string> =>
    new Map(filesIn(path).map((name) => [name, readFileSync(join(path, name), 'utf8')]));

  it.each(OVERLAYS)('has made what the overlay %s has', (overlay) => {
    const before = contents(root);
    expect(add(overlay, valuesOf(overlay))).toMatchObject({ status: 0, stderr: '' });
    expect(contents(root)).toEqual(before);
  });

  it('keeps what operators have set, and renews what terraform has', () => {
    const path = join(overlayOf('gke'), 'us-ca-ingestor-1');
    const env = join(path, 'instance.env');
    const key = 'batch-signing-key=us-ca-ingestor-1-batch-signing-key';
    writeFileSync(env, `${readFileSync(env, 'utf8').replace(key, `${key}-2`)}mine=1\n`);
    const options = join(path, 'workflow-manager.json');
    writeFileSync(options, JSON.stringify({ 'intake-max-age': '8h', 'gcp-project-id': 'old' }));
    const values = valuesOf('eks');
    add('gke', { ...values, 'workflow-manager': { 'gcp-project-id': 'new' } });
    expect(readFileSync(env, 'utf8')).toContain(`${key}-2\n`);
    expect(readFileSync(env, 'utf8')).toContain('mine=1\n');
    const kept = { 'intake-max-age': '8h', 'aggregation-period': '3h', 'grace-period': '1h' };
    expect(JSON.parse(readFileSync(options, 'utf8'))).toEqual({ ...kept, 'gcp-project-id': 'new' });
  });

  describe.skipIf(withoutTools('ingestors added to deploy/kustomize', 'kubectl'))('for another one', () => {
    it.each(OVERLAYS)('makes objects of its own at %s, with options that the programs accept', async (overlay) => {
      expect(add(overlay, renamed(valuesOf(overlay)))).toMatchObject({ status: 0, stderr: '' });
      const objects = objectsIn(render(overlayOf(overlay)));
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const kind of ['ScaledObject', 'ServiceAccount', 'PodDisruptionBudget', 'Deployment']) {
        if (kind === 'ScaledObject' && overlay === 'local') continue;
        expect(JSON.stringify(objectNamed(objects, kind, `aggregate-${ANOTHER}`))).not.toContain('ingestor-1');
      }
      const added = workloadsOf(objects).filter(({ title }) => title.endsWith(ANOTHER));
      expect(added).toHaveLength(3);
      for (const { template } of added) {
        const [container] = template.spec.containers;
        expect(await parseContainer(container!, template.spec, objects)).toMatchObject({ status: 0, said: '' });
      }
    });
  });

  const cases: readonly (readonly [string, (values: Values) => unknown, string])[] = [
    ['no JSON', () => '{', 'cannot be read as JSON'],
    ['no object', () => [], 'is no object'],
    ['a namespace that cannot be', (values) => ({ ...values, namespace: 'US' }), 'namespace must be lower-case'],
    ['another name', (values) => ({ ...values, instance: 'us-ca' }), 'instance must be LOCALITY-INGESTOR'],
    [
      'a name that is too long for a CronJob',
      (values) => ({ ...values, ingestor: 'a'.repeat(36), instance: `us-ca-${'a'.repeat(36)}` }),
      'ingestor is longer than 35 characters',
    ],
    [
      'service accounts of other names',
      (values) => ({ ...values, 'service-accounts': { intake: { name: 'intake' } } }),
      'the service account of intake must be intake-batch-ingestor-1',
    ],
    [
      'a program without options',
      (values) => ({ ...values, 'aggregate-worker': undefined }),
      'aggregate-worker must be',
    ],
    ['a worker without a queue', (values) => ({ ...values, 'aggregate-worker': {} }), 'has no task-queue-name'],
  ];
  it.each(cases)('refuses %s, and changes nothing', (_, change, message) => {
    const before = contents(root);
    const { status, stderr } = add('gke', change(valuesOf('gke')));
    expect(status).toBe(64);
    expect(stderr).toMatch(/^add-ingestor: /);
    expect(stderr).toContain(message);
    expect(contents(root)).toEqual(before);
  });
});
