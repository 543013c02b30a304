import { UsageError } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { CachedManifest } from '../manifest/cached-manifest.ts';
import { manifestStorage, type ManifestLocation } from '../manifest/manifest-storage.ts';
import { portalManifest, processorManifest, sumPartBucket } from '../manifest/manifests.ts';
import { serverOf } from '../options.ts';
import { credentialsOf, storageOf, type CredentialOptions, type commonCredentialOptions } from '../storage-options.ts';
import type { Need } from '../ways.ts';
import { openAs, openerOf, type PartyCredentials, type StorageOpener } from '../wire.ts';
import { baseUrl, manifestCaching } from './verification-options.ts';

/*
 * Outputs that are someone else's, who says in a manifest where they are: the peer's storage for our validation batches
 * and the portal's for our sum parts. Options go before manifests.
 */

export const portalManifestOption = {
  'portal-manifest-base-url': baseUrl({
    describe: 'where the portal’s manifest is, which says where sum parts are published',
    example: 'https://portal.example/manifests',
    legacyEnv: 'PORTAL_MANIFEST_BASE_URL',
  }),
} as const;

type Common = Args<typeof commonCredentialOptions>;
type PeerArgs = Args<CredentialOptions<'peer'>> &
  Common & {
    readonly 'peer-output': StorageOpener | undefined;
    readonly 'peer-manifest-base-url': string | undefined;
    readonly 'instance-name': string | undefined;
  };
type PortalArgs = Args<CredentialOptions<'portal'>> &
  Common &
  Args<typeof portalManifestOption> & {
    readonly 'portal-output': StorageOpener | undefined;
    readonly 'is-first': boolean;
  };

/** The storage as it is whenever a task begins. */
export type StorageLookup = () => Promise<Storage>;

/** An output, or a manifest. @throws UsageError for a manifest of which the address is not known */
export function peerOutputNeed(args: PeerArgs): Need {
  const { 'peer-output': open, 'peer-manifest-base-url': base, 'instance-name': instance } = args;
  if (open === undefined && base !== undefined && instance === undefined) {
    throw new UsageError(
      'missing --instance-name, which is part of the address of the peer’s manifest; example: --instance-name us-ct-g-enpa',
    );
  }
  return outputNeed('peer', open, base);
}

/** An output, or a manifest. */
export function portalOutputNeed(args: PortalArgs): Need {
  return outputNeed('portal', args['portal-output'], args['portal-manifest-base-url']);
}

/** Where the peer reads our validation batches. @throws ConfigurationInvalid */
export function peerOutputOf(args: PeerArgs, context: Pick<CommandContext, 'clock' | 'log'>): StorageLookup {
  const { 'peer-output': open, 'peer-manifest-base-url': base, 'instance-name': instance } = args;
  if (open !== undefined) {
    if (base !== undefined) logBoth('peer', base, context);
    const storage = storageOf({ ...args, 'peer-output': open }, 'peer', 'output');
    return async () => storage;
  }
  // `peerOutputNeed` has seen to it that there are both.
  const manifest = processorManifest(base!, instance!, manifestCaching(context));
  return outputOf('peer', credentialsOf(args, 'peer'), manifest, (peer) => ({
    field: 'peer-validation-bucket',
    location: peer.peerValidationBucket,
    identity: peer.peerValidationIdentity,
  }));
}

/** Where sum parts are published. @throws ConfigurationInvalid */
export function portalOutputOf(args: PortalArgs, context: Pick<CommandContext, 'clock' | 'log'>): StorageLookup {
  const { 'portal-output': open, 'portal-manifest-base-url': base } = args;
  if (open !== undefined) {
    if (base !== undefined) logBoth('portal', base, context);
    const storage = storageOf({ ...args, 'portal-output': open }, 'portal', 'output');
    return async () => storage;
  }
  const server = serverOf(args);
  // `portalOutputNeed` has seen to it that there is one.
  const manifest = portalManifest(base!, manifestCaching(context));
  return outputOf('portal', credentialsOf(args, 'portal'), manifest, (portal) => ({
    field: server === 0 ? 'pha-sum-part-bucket' : 'facilitator-sum-part-bucket',
    location: sumPartBucket(portal, server),
    identity: undefined,
  }));
}

function outputNeed(party: string, open: StorageOpener | undefined, base: string | undefined): Need {
  return {
    options: `--${party}-output or --${party}-manifest-base-url`,
    example: `--${party}-output gs://bucket/prefix`,
    isGiven: open !== undefined || base !== undefined,
  };
}

function logBoth(party: string, base: string, { log }: Pick<CommandContext, 'log'>): void {
  log.info({ party, manifest_base_url: base }, `--${party}-output goes before the manifest’s location`);
}

function outputOf<M>(
  party: string,
  credentials: PartyCredentials,
  manifest: CachedManifest<M>,
  locate: (manifest: M) => ManifestLocation,
): StorageLookup {
  const options = { location: `--${party}-manifest-base-url`, identity: `--${party}-identity` };
  return manifestStorage(manifest, locate, (location, identity) =>
    openAs(openerOf(location), { ...credentials, identity: credentials.identity ?? identity }, options),
  );
}
