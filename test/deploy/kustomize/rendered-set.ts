import { workloadsOf, type KubeObject, type Workload } from './objects.ts';
import { objectsIn, renderVariant, type Variant } from './render.ts';

/** `app.kubernetes.io/name` of those that take tasks. */
export const WORKERS = ['intake-batch', 'aggregate'];

/** What an overlay consists of. */
export interface RenderedSet {
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
  readonly workers: readonly Workload[];
  readonly publisher: Workload;
  readonly ofKind: (kind: string) => readonly KubeObject[];
}

const sets = new Map<string, RenderedSet>();

export function renderedSet(variant: Variant): RenderedSet {
  const known = sets.get(variant.title);
  if (known) return known;
  const objects = objectsIn(renderVariant(variant));
  const workloads = workloadsOf(objects);
  const made: RenderedSet = {
    objects,
    workloads,
    workers: workloads.filter((workload) => WORKERS.includes(nameOf(workload))),
    // Whatever is missing, a test will say.
    publisher: workloads.find((workload) => nameOf(workload) === 'workflow-manager')!,
    ofKind: (kind) => objects.filter((object) => object.kind === kind),
  };
  sets.set(variant.title, made);
  return made;
}

/** `app.kubernetes.io/name` of its pods. */
export function nameOf({ template }: Workload): string {
  return template.metadata.labels['app.kubernetes.io/name']!;
}
