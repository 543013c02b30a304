import { ManifestInvalid } from '../errors.ts';
import { fields, formatOf, named, optionalTextOf, refuse, textOf, type Place } from './json-shape.ts';

/*
 * The kinds of manifests, by which parties tell each other where to write and which keys to use. docs/manifests.md,
 * "Kinds". What is parsed has the right fields of the right types; whether keys, dates and locations are of any use is
 * for those who use them to find out, and for `lint.ts`.
 */

/** A public key as a manifest has it. */
export interface ManifestKey {
  /** SPKI in PEM. */
  readonly publicKey: string;
  /** A date and time, RFC 3339. */
  readonly expiration: string;
}

/** By identifier. */
export type ManifestKeys = ReadonlyMap<string, ManifestKey>;

export interface IngestorManifest {
  readonly serverIdentity: {
    /** ARN. */
    readonly awsIamEntity: string | undefined;
    readonly gcpServiceAccountId: string | undefined;
    readonly gcpServiceAccountEmail: string;
  };
  readonly batchSigningPublicKeys: ManifestKeys;
}

export interface ProcessorGlobalManifest {
  readonly serverIdentity: {
    readonly awsAccountId: number | undefined;
    readonly gcpServiceAccountId: string | undefined;
    readonly gcpServiceAccountEmail: string;
  };
}

export interface ProcessorSpecificManifest {
  /** Where the ingestion server writes. */
  readonly ingestionBucket: string;
  /** Whom to be for that; `undefined` for oneself. */
  readonly ingestionIdentity: string | undefined;
  /** Where the peer writes its validation batches. */
  readonly peerValidationBucket: string;
  readonly peerValidationIdentity: string | undefined;
  readonly batchSigningPublicKeys: ManifestKeys;
  /** By identifier, certificate signing requests in PEM. */
  readonly packetEncryptionKeys: ReadonlyMap<string, string>;
}

export interface PortalManifest {
  readonly facilitatorSumPartBucket: string;
  readonly phaSumPartBucket: string;
}

/** @param source for errors, e.g. its URL @throws ManifestInvalid */
export function parseIngestorManifest(json: Uint8Array, source: string): IngestorManifest {
  const manifest = fields(parseJson(json, source), ['format', 'server-identity', 'batch-signing-public-keys']);
  formatOf(manifest.format, [1]);
  const names = ['aws-iam-entity', 'gcp-service-account-id', 'gcp-service-account-email'] as const;
  const identity = fields(manifest['server-identity'], names);
  return {
    serverIdentity: {
      awsIamEntity: optionalTextOf(identity['aws-iam-entity'], { orNull: true }),
      gcpServiceAccountId: optionalTextOf(identity['gcp-service-account-id'], { orNull: true }),
      gcpServiceAccountEmail: textOf(identity['gcp-service-account-email']),
    },
    batchSigningPublicKeys: named(manifest['batch-signing-public-keys'], manifestKey),
  };
}

/** @throws ManifestInvalid */
export function parseProcessorGlobalManifest(json: Uint8Array, source: string): ProcessorGlobalManifest {
  const manifest = fields(parseJson(json, source), ['format', 'server-identity']);
  formatOf(manifest.format, [0, 1]);
  const place = manifest['server-identity'];
  const identity = fields(place, ['aws-account-id', 'gcp-service-account-id', 'gcp-service-account-email']);
  const awsAccountId = accountId(identity['aws-account-id']);
  const gcpServiceAccountId = optionalTextOf(identity['gcp-service-account-id'], { orNull: false });
  if (awsAccountId !== undefined && gcpServiceAccountId !== undefined) {
    refuse(place, 'has both aws-account-id and gcp-service-account-id, but a processor is in one cloud');
  }
  const gcpServiceAccountEmail = textOf(identity['gcp-service-account-email']);
  return { serverIdentity: { awsAccountId, gcpServiceAccountId, gcpServiceAccountEmail } };
}

/** @throws ManifestInvalid */
export function parseProcessorSpecificManifest(json: Uint8Array, source: string): ProcessorSpecificManifest {
  const manifest = fields(parseJson(json, source), [
    'format',
    'ingestion-bucket',
    'ingestion-identity',
    'peer-validation-bucket',
    'peer-validation-identity',
    'batch-signing-public-keys',
    'packet-encryption-keys',
  ]);
  formatOf(manifest.format, [1, 2]);
  return {
    ingestionBucket: bucket(manifest['ingestion-bucket']),
    ingestionIdentity: identityOrNone(manifest['ingestion-identity']),
    peerValidationBucket: bucket(manifest['peer-validation-bucket']),
    peerValidationIdentity: identityOrNone(manifest['peer-validation-identity']),
    batchSigningPublicKeys: named(manifest['batch-signing-public-keys'], manifestKey),
    packetEncryptionKeys: named(manifest['packet-encryption-keys'], (entry) =>
      textOf(fields(entry, ['certificate-signing-request'])['certificate-signing-request']),
    ),
  };
}

/** @throws ManifestInvalid */
export function parsePortalManifest(json: Uint8Array, source: string): PortalManifest {
  const names = ['format', 'facilitator-sum-part-bucket', 'pha-sum-part-bucket'] as const;
  const manifest = fields(parseJson(json, source), names);
  formatOf(manifest.format, [1]);
  return {
    facilitatorSumPartBucket: bucket(manifest['facilitator-sum-part-bucket']),
    phaSumPartBucket: bucket(manifest['pha-sum-part-bucket']),
  };
}

function parseJson(json: Uint8Array, source: string): Place {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    return { value: JSON.parse(text) as unknown, path: `${source}:` };
  } catch {
    // The parser's message quotes the file, which may be somebody's page.
    throw new ManifestInvalid(`${source} is no JSON in UTF-8`);
  }
}

function manifestKey(place: Place): ManifestKey {
  const key = fields(place, ['public-key', 'expiration']);
  return { publicKey: textOf(key['public-key']), expiration: textOf(key.expiration) };
}

function bucket(place: Place): string {
  return textOf(place) || refuse(place, 'is empty');
}

/** "" is how deployments say that there is none. */
function identityOrNone(place: Place): string | undefined {
  return optionalTextOf(place, { orNull: false }) || undefined;
}

/** Accounts have 12 digits; any integer that JSON carries exactly is let through for `lint.ts` to judge. */
function accountId(place: Place): number | undefined {
  if (place.value === undefined) return undefined;
  const id = place.value;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : refuse(place, 'is no unsigned integer');
}
