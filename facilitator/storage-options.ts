import type { Storage } from '../common/ports/storage.ts';
import type { OptionSpec } from '../common/runtime/option-spec.ts';
import { flag, text } from '../common/runtime/option-values.ts';
import type { Args } from '../common/runtime/options.ts';
import type { Metrics } from './metrics/metrics.ts';
import { measuredStorage, requestCounter, storageService } from './metrics/measured-storage.ts';
import { openAs, type PartyCredentials, type StorageOpener } from './wire.ts';

/*
 * Whom to be at the storages and queues of others. Each party has options of its own, as the deployments of others are
 * in other clouds, and their owners admit whom they choose. docs/facilitator.md, "Credentials"
 */

/** Whose storage or queue it is; `own` is ours. */
export type Party = 'ingestor' | 'peer' | 'own' | 'portal' | 'facilitator' | 'pha' | 'task-queue';

const IDENTITY = 'identity';
const DEFAULT_PROVIDER = 'use-default-aws-credentials-provider';
const ACCOUNT = 'gcp-sa-to-impersonate-before-assuming-role';

/** The options of `credentialOptions`, by their names. */
export type CredentialOptions<P extends Party> = Readonly<
  Record<`${P}-${typeof IDENTITY}` | `${P}-${typeof ACCOUNT}`, OptionSpec<string | undefined>> &
    Record<`${P}-${typeof DEFAULT_PROVIDER}`, OptionSpec<boolean>>
>;

/** Options that the reference does not have, and so no variables without prefix. */
const OURS: Readonly<Partial<Record<Party, readonly string[]>>> = {
  own: [IDENTITY, DEFAULT_PROVIDER, ACCOUNT],
  'task-queue': [ACCOUNT],
};

/** Options of a command that uses a storage or queue of `party`. */
export function credentialOptions<const P extends Party>(party: P): CredentialOptions<P> {
  const legacy = (name: string): { readonly legacyEnv?: string } =>
    OURS[party]?.includes(name) ? {} : { legacyEnv: `${party}-${name}`.replaceAll('-', '_').toUpperCase() };
  const kinds = party === 'task-queue' ? ['aws-sqs', 'gcp-pubsub'] : ['s3', 'gs'];
  const options = {
    [`${party}-${IDENTITY}`]: text({
      describe: `whom to be at ${placeOf(party)}: ARN of a role (${kinds[0]}) or e-mail of a service account (${kinds[1]}) instead of the ambient identity`,
      example: 'arn:aws:iam::123456789012:role/writer',
      emptyIsUnset: true,
      ...legacy(IDENTITY),
    }),
    [`${party}-${DEFAULT_PROVIDER}`]: flag({
      describe: `at ${placeOf(party)}, find AWS credentials as the AWS SDK does, whatever --${party}-identity says`,
      default: false,
      emptyIsUnset: true,
      ...legacy(DEFAULT_PROVIDER),
    }),
    [`${party}-${ACCOUNT}`]: text({
      describe: `Google service account whose ID token assumes the role --${party}-identity, instead of the ambient one`,
      example: 'name@project.iam.gserviceaccount.com',
      emptyIsUnset: true,
      ...legacy(ACCOUNT),
    }),
  };
  // The names are made of `party`, which the compiler does not follow.
  return options as unknown as CredentialOptions<P>;
}

/** Options of every command that uses a storage or queue, of whomever it is. */
export const commonCredentialOptions = {
  'gcp-service-account-key-file': text({
    describe: 'key of a service account, a JSON file, to be that at Google instead of the ambient identity',
    example: '/etc/dsp/key.json',
    emptyIsUnset: true,
    legacyEnv: 'GCP_SERVICE_ACCOUNT_KEY_FILE',
  }),
  'gcp-workload-identity-pool-provider': text({
    describe: 'provider of a workload identity pool, by which the ambient identity of AWS is known to Google',
    example: '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/aws',
    emptyIsUnset: true,
    legacyEnv: 'GCP_WORKLOAD_IDENTITY_POOL_PROVIDER',
  }),
  'aws-role-session-name': text({
    describe: 'name of sessions of assumed roles, for the audit log of their account',
    example: 'intake-worker',
    emptyIsUnset: true,
    hidden: true,
    legacyEnv: 'AWS_ROLE_SESSION_NAME',
  }),
} as const;

type CredentialArgs<P extends Party> = Args<CredentialOptions<P>> & Args<typeof commonCredentialOptions>;

/** What the options say of `party`. */
export function credentialsOf<P extends Party>(args: CredentialArgs<P>, party: P): PartyCredentials {
  const given: Readonly<Record<string, unknown>> = args;
  return {
    // As the types of `args` say, which the compiler does not follow.
    identity: given[`${party}-${IDENTITY}`] as string | undefined,
    useDefaultAwsProvider: given[`${party}-${DEFAULT_PROVIDER}`] as boolean,
    gcpServiceAccountToImpersonate: given[`${party}-${ACCOUNT}`] as string | undefined,
    gcpKeyFile: args['gcp-service-account-key-file'],
    gcpWorkloadIdentityPoolProvider: args['gcp-workload-identity-pool-provider'],
    awsSessionName: args['aws-role-session-name'],
  };
}

/** Options of a storage of `party` and of whom to be there. */
type StorageArgs<P extends Party, D extends Direction, V> = CredentialArgs<P> & Readonly<Record<`${P}-${D}`, V>>;
type Direction = 'input' | 'output';

/** Where the use of a storage is counted, and what time it is. */
export interface Watch {
  readonly metrics: Metrics;
  readonly clock: () => Date;
}

/**
 * The storage of the option `--<party>-<direction>`, opened as whom the options of the party say; it has not been
 * touched yet.
 * @throws ConfigurationInvalid that names the option
 */
export function storageOf<P extends Party, D extends Direction>(
  args: StorageArgs<P, D, StorageOpener>,
  party: P,
  direction: D,
  watch?: Watch,
): Storage {
  const location = `${party}-${direction}` as const;
  const options = { location: `--${location}`, identity: `--${party}-${IDENTITY}` };
  // Intersections of mapped types are not looked into for generic names.
  const open: StorageOpener = (args as Readonly<Record<`${P}-${D}`, StorageOpener>>)[location];
  const credentials = credentialsOf(args, party);
  if (!watch) return openAs(open, credentials, options);
  const { metrics, clock } = watch;
  // Only the storage itself sees all its requests, which it makes once it is there.
  const storage: Storage = openAs(open, { ...credentials, onRequest: (request) => count(request) }, options);
  const count = requestCounter(metrics, storageService(storage.url));
  return measuredStorage(storage, metrics, clock);
}

/** As `storageOf`, for an option that need not be given. */
export function optionalStorageOf<P extends Party, D extends Direction>(
  args: StorageArgs<P, D, StorageOpener | undefined>,
  party: P,
  direction: D,
  watch?: Watch,
): Storage | undefined {
  const open = (args as Readonly<Record<`${P}-${D}`, StorageOpener | undefined>>)[`${party}-${direction}`];
  // The option is there.
  return open && storageOf(args as StorageArgs<P, D, StorageOpener>, party, direction, watch);
}

function placeOf(party: Party): string {
  if (party === 'task-queue') return 'the task queue';
  if (party === 'own') return 'our own storage';
  return party === 'pha' ? 'the storage of the PHA' : `the storage of the ${party}`;
}
