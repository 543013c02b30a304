import { describeError } from '../../common/errors.ts';
import { ManifestInvalid } from '../errors.ts';
import { parseExpiration } from './expiration.ts';
import {
  parseIngestorManifest,
  parsePortalManifest,
  parseProcessorGlobalManifest,
  parseProcessorSpecificManifest,
  type ManifestKeys,
} from './kinds.ts';
import type { ManifestKind } from './manifest-kind.ts';
import { parseManifestPublicKey } from './public-key.ts';
import { parseSigningRequest } from './signing-request.ts';

export interface LintSettings {
  readonly now: Date;
  /** What is wrong with the form of a storage location, `undefined` if nothing is. */
  readonly locationFault: (location: string) => string | undefined;
}

/** Something wrong with a field, without the source: `peer-validation-identity is …`. */
type Finding = string;

const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;
const ARN = /^arn:aws[a-z-]*:iam::\d{12}:(?:role|user|root)\b\S*$/;
const MAX_AWS_ACCOUNT_ID = 999_999_999_999;

/**
 * All that is wrong with a manifest, one finding each with `source` and the field; of one whose shape is wrong that alone.
 * @param source of the manifest, for the findings: its URL or path
 */
export function lintManifest(
  kind: ManifestKind,
  json: Uint8Array,
  source: string,
  settings: LintSettings,
): readonly string[] {
  try {
    return LINTERS[kind](json, source, settings).map((finding) => `${source}: ${finding}`);
  } catch (err) {
    if (err instanceof ManifestInvalid) return [err.message];
    throw err;
  }
}

type Linter = (json: Uint8Array, source: string, settings: LintSettings) => Finding[];

const lintIngestor: Linter = (json, source, { now }) => {
  const { serverIdentity, batchSigningPublicKeys } = parseIngestorManifest(json, source);
  const { awsIamEntity, gcpServiceAccountId, gcpServiceAccountEmail } = serverIdentity;
  return [
    ...unless(awsIamEntity === undefined || ARN.test(awsIamEntity), 'server-identity.aws-iam-entity is no ARN of IAM'),
    ...googleFindings(gcpServiceAccountId, gcpServiceAccountEmail),
    ...keyFindings(batchSigningPublicKeys, now),
  ];
};

const lintProcessorGlobal: Linter = (json, source) => {
  const { serverIdentity } = parseProcessorGlobalManifest(json, source);
  const { awsAccountId = 0, gcpServiceAccountId, gcpServiceAccountEmail } = serverIdentity;
  return [
    ...unless(awsAccountId <= MAX_AWS_ACCOUNT_ID, 'server-identity.aws-account-id has more than 12 digits'),
    ...googleFindings(gcpServiceAccountId, gcpServiceAccountEmail),
  ];
};

const lintProcessorSpecific: Linter = (json, source, { now, locationFault }) => {
  const manifest = parseProcessorSpecificManifest(json, source);
  return [
    ...bucketFindings('ingestion-bucket', manifest.ingestionBucket, locationFault),
    ...identityFindings('ingestion-identity', manifest.ingestionIdentity),
    ...bucketFindings('peer-validation-bucket', manifest.peerValidationBucket, locationFault),
    ...identityFindings('peer-validation-identity', manifest.peerValidationIdentity),
    ...keyFindings(manifest.batchSigningPublicKeys, now),
    ...requestFindings(manifest.packetEncryptionKeys),
  ];
};

const lintPortal: Linter = (json, source, { locationFault }) => {
  const { facilitatorSumPartBucket, phaSumPartBucket } = parsePortalManifest(json, source);
  return [
    ...bucketFindings('facilitator-sum-part-bucket', facilitatorSumPartBucket, locationFault),
    ...bucketFindings('pha-sum-part-bucket', phaSumPartBucket, locationFault),
  ];
};

const LINTERS: Readonly<Record<ManifestKind, Linter>> = {
  'ingestor-global': lintIngestor,
  'ingestor-specific': lintIngestor,
  'data-share-processor-global': lintProcessorGlobal,
  'data-share-processor-specific': lintProcessorSpecific,
  'portal-global': lintPortal,
};

const unless = (isFine: boolean, finding: Finding): Finding[] => (isFine ? [] : [finding]);

function bucketFindings(field: string, location: string, locationFault: LintSettings['locationFault']): Finding[] {
  if (!/^(?:gs|s3):\/\//.test(location))
    return [`${field} is neither gs:// nor s3://, so that nobody else can reach it`];
  const fault = locationFault(location);
  return fault === undefined ? [] : [`${field} is no storage location: ${fault}`];
}

function identityFindings(field: string, identity: string | undefined): Finding[] {
  const isFine = identity === undefined || ARN.test(identity) || EMAIL.test(identity);
  return unless(isFine, `${field} is neither an ARN of IAM nor a service account's email`);
}

function googleFindings(id: string | undefined, email: string): Finding[] {
  return [
    ...unless(id === undefined || /^\d+$/.test(id), 'server-identity.gcp-service-account-id is no number'),
    ...unless(EMAIL.test(email), 'server-identity.gcp-service-account-email is no email address'),
  ];
}

function keyFindings(keys: ManifestKeys, now: Date): Finding[] {
  const all = 'batch-signing-public-keys';
  if (keys.size === 0) return [`${all} is empty: no batch can be verified`];
  return [...keys].flatMap(([identifier, { publicKey, expiration }]) => {
    const field = `${all}.${JSON.stringify(identifier)}`;
    const time = parseExpiration(expiration);
    return [
      ...thrown(() => parseManifestPublicKey(publicKey, `${field}.public-key`)),
      ...unless(time !== undefined, `${field}.expiration is no date and time of RFC 3339`),
      ...unless(time === undefined || time > now, `${field}.expiration is past: ${time?.toISOString()}`),
    ];
  });
}

function requestFindings(requests: ReadonlyMap<string, string>): Finding[] {
  const all = 'packet-encryption-keys';
  if (requests.size === 0) return [`${all} is empty: nobody can encrypt packets`];
  return [...requests].flatMap(([identifier, pem]) => {
    const field = `${all}.${JSON.stringify(identifier)}.certificate-signing-request`;
    return thrown(() => {
      const { isSelfSigned } = parseSigningRequest(pem, field);
      if (!isSelfSigned) throw new ManifestInvalid(`${field} is not signed by its own key with ECDSA and SHA-2`);
    });
  });
}

/** What a parser finds. */
function thrown(parse: () => unknown): Finding[] {
  try {
    parse();
    return [];
  } catch (err) {
    if (err instanceof ManifestInvalid) return [describeError(err)];
    throw err;
  }
}
