import { readFile } from 'node:fs/promises';
import { describeError, UsageError } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { choice, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import { ManifestUnavailable, ManifestUnsound } from '../errors.ts';
import { fetchDocument, FETCH_DEFAULTS } from '../manifest/fetch-document.ts';
import { MANIFEST_KINDS } from '../manifest/manifest-kind.ts';
import { globalManifestUrl, specificManifestUrl } from '../manifest/manifests.ts';
import { openerOf } from '../wire.ts';
import { baseUrl } from './verification-options.ts';

const lintOptions = {
  'manifest-base-url': baseUrl({
    describe: 'where the manifest is; goes before --manifest-path',
    example: 'https://peer.example/manifests',
  }),
  'manifest-path': text({ describe: 'file with the manifest', example: 'us-ct-g-enpa-manifest.json' }),
  'manifest-kind': choice(MANIFEST_KINDS, { describe: 'what it is the manifest of', required: true }),
  instance: text({
    describe: 'name of the deployment, for the specific kinds with --manifest-base-url',
    example: 'us-ct-g-enpa',
  }),
} as const;

/** `facilitator lint-manifest`: prints all that is wrong with a manifest. */
export const lintManifestCommand = command({
  name: 'lint-manifest',
  describe: 'check a manifest, its keys and certificate signing requests; one line for each finding',
  options: lintOptions,
  check: (args) => {
    if (args['manifest-base-url'] === undefined && args['manifest-path'] === undefined) {
      throw new UsageError(
        'missing --manifest-base-url or --manifest-path; example: --manifest-base-url https://peer.example/manifests',
      );
    }
    sourceOf(args);
  },
  run: async (args, { stdout, clock, log }) => {
    const { lintManifest } = await import('../manifest/lint.ts');
    const source = sourceOf(args);
    const json = source.kind === 'url' ? await download(source.name) : await readManifest(source.name);
    const kind = args['manifest-kind'];
    const findings = lintManifest(kind, json, source.name, { now: clock(), locationFault });
    for (const finding of findings) if (!(await stdout.write(`${finding}\n`))) break;
    if (findings.length > 0) throw new ManifestUnsound(`${source.name} has ${findings.length} findings`);
    log.info({ manifest: source.name, kind }, 'manifest is in order');
  },
});

interface Source {
  readonly kind: 'url' | 'path';
  readonly name: string;
}

/** @throws UsageError if the instance is needed and missing */
function sourceOf(args: Args<typeof lintOptions>): Source {
  const base = args['manifest-base-url'];
  // `check` has seen to it that there is one of the two.
  if (base === undefined) return { kind: 'path', name: args['manifest-path']! };
  const { instance, 'manifest-kind': kind } = args;
  if (kind !== 'ingestor-specific' && kind !== 'data-share-processor-specific') {
    return { kind: 'url', name: globalManifestUrl(base) };
  }
  if (instance !== undefined) return { kind: 'url', name: specificManifestUrl(base, instance) };
  throw new UsageError(`missing --instance, as --manifest-kind is ${kind}; example: --instance us-ct-g-enpa`);
}

async function download(url: string): Promise<Uint8Array> {
  const fetched = await fetchDocument(url, { ...FETCH_DEFAULTS, fetch: globalThis.fetch });
  if (fetched.kind === 'document') return fetched.bytes;
  throw new ManifestUnavailable(`there is no ${url}`);
}

async function readManifest(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ManifestUnavailable(`${path} cannot be read`, { cause });
  }
}

function locationFault(location: string): string | undefined {
  try {
    openerOf(location);
    return undefined;
  } catch (err) {
    return describeError(err);
  }
}
