import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from '../../services/service.ts';
import { REPOSITORY } from '../../support/repository.ts';
import type { KubeObject } from './objects.ts';

export const KUSTOMIZE = join(REPOSITORY, 'deploy/kustomize');
export const OVERLAYS = ['gke', 'eks', 'local'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** An overlay, also with other components than it has by itself. */
export interface Variant {
  readonly title: string;
  readonly overlay: Overlay;
  /** A component by the one that is to take its place, `undefined` for one to add. */
  readonly swaps: readonly (readonly [from: string | undefined, to: string])[];
}

export const VARIANTS: readonly Variant[] = [
  ...OVERLAYS.map((overlay) => ({ title: overlay, overlay, swaps: [] })),
  { title: 'gke without KEDA', overlay: 'gke', swaps: [['keda-pubsub', 'hpa-pubsub']] },
  { title: 'gke with External Secrets', overlay: 'gke', swaps: [[undefined, 'external-secrets']] },
  { title: 'eks without KEDA', overlay: 'eks', swaps: [['keda-sqs', 'hpa-sqs']] },
  {
    title: 'eks with IRSA and External Secrets',
    overlay: 'eks',
    swaps: [
      [undefined, 'irsa'],
      [undefined, 'external-secrets'],
    ],
  },
];

/** A role for each program, as terraform's rendering has them with IRSA. */
const ROLES = ['publisher', 'intake', 'aggregate'].map(
  (name) => `role-${name}=arn:aws:iam::012345678901:role/${name}\n`,
);

/** In YAML, by their titles: rendering takes a while. */
const rendered = new Map<string, string>();

/** @returns YAML */
export function renderVariant(variant: Variant): string {
  const known = rendered.get(variant.title);
  if (known !== undefined) return known;
  const scratch = mkdtempSync(join(tmpdir(), 'dsp-kustomize-'));
  try {
    const yaml = renderIn(scratch, variant);
    rendered.set(variant.title, yaml);
    return yaml;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function renderIn(scratch: string, { overlay, swaps }: Variant): string {
  cpSync(KUSTOMIZE, scratch, { recursive: true });
  const directory = join(scratch, 'overlays', overlay);
  if (swaps.length > 0) {
    const list = join(directory, 'components/kustomization.yaml');
    writeFileSync(list, swaps.reduce(swapComponent, readFileSync(list, 'utf8')));
    const env = join(directory, 'us-ca-ingestor-1/instance.env');
    writeFileSync(env, readFileSync(env, 'utf8') + ROLES.join(''));
  }
  return render(directory);
}

function swapComponent(list: string, [from, to]: Variant['swaps'][number]): string {
  const line = (name: string): string => `  - ../../../components/${name}\n`;
  if (from === undefined) return list + line(to);
  if (!list.includes(line(from))) throw new Error(`no component ${from} in ${list}`);
  return list.replace(line(from), line(to));
}

/** @returns YAML @throws with what kubectl said */
export function render(directory: string): string {
  return execFileSync(tool('kubectl'), ['kustomize', directory], { encoding: 'utf8' });
}

/** The objects in YAML: kubectl reads it for us, and changes nothing. */
export function objectsIn(yaml: string): readonly KubeObject[] {
  // To take a label away that nothing has is what `--local` can do without a server.
  const args = ['label', '--local', '--filename', '-', '--output', 'json', 'nobody.has/this-'];
  const env = { PATH: process.env['PATH'], KUBECONFIG: '/dev/null' };
  const json = execFileSync(tool('kubectl'), args, { input: yaml, encoding: 'utf8', env });
  return JSON.parse(`[${json.trim().replaceAll('\n}\n{', '\n},\n{')}]`) as KubeObject[];
}
