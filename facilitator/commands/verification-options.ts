import { UsageError } from '../../common/errors.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import type { CommandContext } from '../../common/runtime/command.ts';
import { optionOf, type OptionSpec, type ValueParser } from '../../common/runtime/option-spec.ts';
import { duration, text } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import { fixedKeys, type KeySource } from '../crypto/key-source.ts';
import { parseVerificationKey } from '../crypto/keys.ts';
import type { CachedManifest, CacheSettings } from '../manifest/cached-manifest.ts';
import { FETCH_DEFAULTS } from '../manifest/fetch-document.ts';
import { noMetrics, type LabelsOf, type Metrics } from '../metrics/metrics.ts';
import { ManifestKeySource, type KeyManifest } from '../manifest/manifest-keys.ts';
import { ingestorManifest, processorManifest } from '../manifest/manifests.ts';
import type { Need } from '../ways.ts';

/*
 * Options for the keys that verify what other parties sign: either one key and its identifier, or the party's manifest.
 * Public keys count as secrets too, because the reference's habit of giving a private key in their place is accepted.
 */

export const KEY_FORMS = 'SPKI PEM, or base64 of SPKI, PKCS#8 or a raw point';
export const KEY_EXAMPLE = 'MFkwEwYHKoZIzj0C…';

/** An option for the place of manifests. */
export function baseUrl(settings: {
  readonly describe: string;
  readonly example: string;
  readonly legacyEnv?: string;
}): OptionSpec<string | undefined> {
  return optionOf({ parse: parseBaseUrl, form: 'https URL', example: settings.example }, settings);
}

/** A manifest's address is joined to it, so there is room for nothing after the path. */
const parseBaseUrl: ValueParser<string> = (given) => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'https:') return { refused: 'is no https URL' };
  if (url.username || url.password) return { refused: 'has a user name or password, which are not sent' };
  return url.search || url.hash ? { refused: 'has something after its path' } : { value: given };
};

export const expiredKeyGrace = duration(0, {
  describe: 'how long after its expiration a key of a manifest still counts, with a warning',
  default: 720 * HOUR_MS,
  example: '720h',
});

export const ingestorKeyOptions = {
  'ingestor-public-key': text({
    describe: `key that verifies ingestion batches: ${KEY_FORMS}; goes before the manifest`,
    example: KEY_EXAMPLE,
    secret: true,
  }),
  'ingestor-public-key-identifier': text({ describe: 'name of that key in signatures', example: 'ingestor-key-1' }),
  'ingestor-manifest-base-url': baseUrl({
    describe: 'where the ingestor’s manifest is, which has its keys',
    example: 'https://ingestor.example/manifests',
    legacyEnv: 'INGESTOR_MANIFEST_BASE_URL',
  }),
  'expired-key-grace': expiredKeyGrace,
} as const;

/** For the peer's keys in aggregate, and for where it reads in intake. */
export const peerManifestOption = {
  'peer-manifest-base-url': baseUrl({
    describe: 'where the peer’s manifest for --instance-name is, which has its keys and where it reads our batches',
    example: 'https://peer.example/manifests',
    legacyEnv: 'PEER_MANIFEST_BASE_URL',
  }),
} as const;

export const peerKeyOptions = {
  'peer-public-key': text({
    describe: `key that verifies the peer’s validation batches: ${KEY_FORMS}; goes before the manifest`,
    example: KEY_EXAMPLE,
    secret: true,
  }),
  'peer-public-key-identifier': text({
    describe: 'name of that key in signatures',
    example: 'peer-batch-signing-key',
  }),
  ...peerManifestOption,
  'expired-key-grace': expiredKeyGrace,
} as const;

type IngestorKeyArgs = Args<typeof ingestorKeyOptions> & { readonly 'instance-name': string | undefined };
type PeerKeyArgs = Args<typeof peerKeyOptions> & { readonly 'instance-name': string };

/** What a command has for it. */
type KeyContext = Pick<CommandContext, 'clock' | 'log'> & {
  /** Where it is said when the keys of manifests expire. */
  readonly metrics?: Metrics;
};

/** A key with its identifier, or a manifest. @throws UsageError for one without the other */
export function ingestorKeyNeed(args: Args<typeof ingestorKeyOptions>): Need {
  return needOf('ingestor', {
    key: args['ingestor-public-key'],
    identifier: args['ingestor-public-key-identifier'],
    base: args['ingestor-manifest-base-url'],
  });
}

/** A key with its identifier, or a manifest. @throws UsageError for one without the other */
export function peerKeyNeed(args: Args<typeof peerKeyOptions>): Need {
  return needOf('peer', {
    key: args['peer-public-key'],
    identifier: args['peer-public-key-identifier'],
    base: args['peer-manifest-base-url'],
  });
}

/** The keys of the ingestion server; nothing is fetched yet. @throws KeyInvalid */
export function ingestorKeysOf(args: IngestorKeyArgs, context: KeyContext): KeySource {
  return keysOf(
    {
      party: 'ingestor',
      key: args['ingestor-public-key'],
      identifier: args['ingestor-public-key-identifier'],
      base: args['ingestor-manifest-base-url'],
      expiredKeyGraceMs: args['expired-key-grace'],
      manifestOf: (base, settings) => ingestorManifest(base, args['instance-name'], settings),
    },
    context,
  );
}

/** The keys of the other data share processor; nothing is fetched yet. @throws KeyInvalid */
export function peerKeysOf(args: PeerKeyArgs, context: KeyContext): KeySource {
  return keysOf(
    {
      party: 'peer',
      key: args['peer-public-key'],
      identifier: args['peer-public-key-identifier'],
      base: args['peer-manifest-base-url'],
      expiredKeyGraceMs: args['expired-key-grace'],
      manifestOf: (base, settings) => processorManifest(base, args['instance-name'], settings),
    },
    context,
  );
}

/** How manifests are fetched and kept by commands. */
export function manifestCaching({ clock, log }: KeyContext): CacheSettings {
  return { fetching: { ...FETCH_DEFAULTS, fetch: globalThis.fetch }, clock, log };
}

/** What was given for the keys of one party. */
export interface KeyWays {
  readonly key: string | undefined;
  readonly identifier: string | undefined;
  readonly base: string | undefined;
}

interface PartyKeys extends KeyWays {
  readonly party: LabelsOf<'facilitator_key_expiration_timestamp_seconds'>['party'];
  readonly expiredKeyGraceMs: number;
  readonly manifestOf: (base: string, settings: CacheSettings) => CachedManifest<KeyManifest>;
}

/** A key with its identifier, or a manifest. @throws UsageError for one without the other */
export function needOf(party: string, { key, identifier, base }: KeyWays): Need {
  const [keyOption, identifierOption] = [`--${party}-public-key`, `--${party}-public-key-identifier`];
  const example = `--${party}-manifest-base-url https://${party}.example/manifests`;
  if ((key === undefined) !== (identifier === undefined)) {
    const [given, missing] = key === undefined ? [identifierOption, keyOption] : [keyOption, identifierOption];
    throw new UsageError(`missing ${missing}, as ${given} is given; or neither, and the manifest: ${example}`);
  }
  const options = `--${party}-manifest-base-url or ${keyOption} with ${identifierOption}`;
  return { options, example, isGiven: key !== undefined || base !== undefined };
}

/** The keys of a party; nothing is fetched yet. @throws KeyInvalid */
export function keysOf(
  { party, key, identifier, base, expiredKeyGraceMs, manifestOf }: PartyKeys,
  { log, clock, metrics = noMetrics }: KeyContext,
): KeySource {
  if (key !== undefined && identifier !== undefined) {
    if (base !== undefined) {
      log.info({ party, manifest_base_url: base }, `--${party}-public-key goes before the manifest’s keys`);
    }
    const option = `--${party}-public-key`;
    return fixedKeys(new Map([[identifier, parseVerificationKey(key, option)]]), option);
  }
  // `needOf` has seen to it that there is one.
  const manifest = manifestOf(base!, manifestCaching({ log, clock }));
  return new ManifestKeySource(manifest, {
    log,
    clock,
    party,
    expiredKeyGraceMs,
    onExpiration: (identifier, expiration) =>
      metrics.set(
        'facilitator_key_expiration_timestamp_seconds',
        { party, key_id: identifier },
        expiration.getTime() / 1000,
      ),
  });
}
