import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withoutTools } from '../../services/service.ts';
import { inTemporaryDirectory } from '../../support/temp-directory.ts';
import { workloadsOf, type Container, type KubeObject, type Workload } from './objects.ts';
import { parseContainer, type Parsed } from './parse.ts';
import { objectsIn, renderVariant, VARIANTS } from './render.ts';

/** Variables that are for Node and the client libraries. */
const OTHERS = ['NODE_OPTIONS', 'METADATA_SERVER_DETECTION', 'AWS_EC2_METADATA_DISABLED'];

/** By the name of the workload. */
const COMMANDS: Readonly<Record<string, string | undefined>> = {
  'workflow-manager': undefined,
  'intake-batch': 'intake-batch-worker',
  aggregate: 'aggregate-worker',
};

describe.skipIf(withoutTools('options in deploy/kustomize', 'kubectl'))('the programs', () => {
  const parseAll = async (
    objects: readonly KubeObject[],
    change = (container: Container) => container,
  ): Promise<Parsed[]> =>
    Promise.all(
      workloadsOf(objects).flatMap(({ template: { spec } }) =>
        spec.containers.map((container) => parseContainer(change(container), spec, objects)),
      ),
    );

  it.each(VARIANTS.map((variant) => [variant.title, variant] as const))(
    'accept what %s gives them',
    async (_, variant) => {
      const objects = objectsIn(renderVariant(variant));
      const parsed = await parseAll(objects);
      expect(parsed).toHaveLength(3);
      for (const { status, said, foreignVariables, foreignOptions } of parsed) {
        expect([said, status]).toEqual(['', 0]);
        expect(foreignVariables.filter((name) => !OTHERS.includes(name))).toEqual([]);
        expect(foreignOptions).toEqual([]);
      }
      for (const workload of workloadsOf(objects)) expect(commandOf(workload)).toBe(COMMANDS[nameOf(workload)]);
      const flags = objects.flatMap(({ spec }) => JSON.stringify(spec ?? {}).match(/--max-old-space-size/g) ?? []);
      expect(flags).toHaveLength(3);
      expect(process.allowedNodeEnvironmentFlags.has('--max-old-space-size')).toBe(true);
    },
  );

  it('find the directories that they need, on one machine', async () => {
    const local = VARIANTS.find(({ overlay }) => overlay === 'local')!;
    const objects = objectsIn(renderVariant(local));
    for (const { template } of workloadsOf(objects)) {
      const [{ command = [], args = [] }] = template.spec.initContainers as [Container];
      expect(command.slice(0, -1)).toEqual(['/nodejs/bin/node', '-e']);
      await inTemporaryDirectory(async (root) => {
        execFileSync(process.execPath, ['-e', command.at(-1)!, ...args.map((path) => root + path)]);
        for (const path of args) expect(statSync(root + path).isDirectory()).toBe(true);
      });
      const text = fileOf(template.spec.containers[0]!, objects);
      const storages = Object.values(JSON.parse(text) as Record<string, string>).filter((it) =>
        it.startsWith('file://'),
      );
      expect(new Set(storages.map((url) => fileURLToPath(url)))).toEqual(new Set(args));
    }
  });

  const mistaken: readonly (readonly [string, (container: Container) => Container, string])[] = [
    ['an option that they do not have', (it) => ({ ...it, args: [...it.args!, '--no-such=1'] }), 'no-such'],
    ['a value that they do not take', (it) => ({ ...it, args: [...it.args!, '--log-level=some'] }), 'log-level'],
    ['a file that is not mounted', (it) => ({ ...it, volumeMounts: [] }), 'no ConfigMap is mounted'],
  ];
  it.each(mistaken)('would refuse %s', async (_, change, said) => {
    const objects = objectsIn(renderVariant(VARIANTS[0]!));
    for (const parsed of await parseAll(objects, change).catch((err: Error) => [{ status: 64, said: err.message }])) {
      expect(parsed.status).not.toBe(0);
      expect(parsed.said).toContain(said);
    }
  });

  it('would be seen to ignore a variable that nothing reads', async () => {
    const objects = objectsIn(renderVariant(VARIANTS[0]!));
    const stray = { name: 'FACILITATOR_THREAD', value: '2' };
    const parsed = await parseAll(objects, (container) => ({ ...container, env: [...container.env!, stray] }));
    for (const { foreignVariables } of parsed) expect(foreignVariables).toContain(stray.name);
  });
});

/** The file of `--config`. */
function fileOf({ args = [] }: Container, objects: readonly KubeObject[]): string {
  const name = args
    .find((arg) => arg.startsWith('--config='))!
    .split('/')
    .at(-1)!;
  const map = objects.find(({ kind }) => kind === 'ConfigMap') as KubeObject & { data: Record<string, string> };
  return map.data[name]!;
}

const nameOf = ({ template }: Workload): string => template.metadata.labels['app.kubernetes.io/name']!;

/** The first word, if it is no option. */
const commandOf = ({ template }: Workload): string | undefined =>
  template.spec.containers[0]!.args!.find((arg) => !arg.startsWith('-'));
