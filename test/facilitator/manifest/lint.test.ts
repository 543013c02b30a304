import { describe, expect, it } from 'vitest';
import { lintManifest } from '../../../facilitator/manifest/lint.ts';
import type { ManifestKind } from '../../../facilitator/manifest/manifest-kind.ts';
import {
  FUTURE,
  ingestor,
  json,
  KEY,
  newKey,
  portal,
  processorGlobal,
  processorSpecific,
  signingRequest,
} from './manifests.ts';

const SETTINGS = {
  now: new Date('2026-11-21T10:00:00Z'),
  locationFault: (location: string) => (location.includes(' ') ? 'no bucket' : undefined),
};
const SOUND: Readonly<Record<ManifestKind, () => object>> = {
  'ingestor-global': ingestor,
  'ingestor-specific': ingestor,
  'data-share-processor-global': processorGlobal,
  'data-share-processor-specific': processorSpecific,
  'portal-global': portal,
};

describe('lintManifest', () => {
  it.each(Object.entries(SOUND))('finds nothing wrong with a sound %s', (kind, sound) => {
    // The keys of `SOUND` are kinds.
    expect(lintManifest(kind as ManifestKind, json(sound()), 'it', SETTINGS)).toEqual([]);
  });

  const identity = (changes: object): object => ({
    'server-identity': { 'gcp-service-account-email': 'a@b.c', ...changes },
  });
  const key = (changes: object): object => ({
    'batch-signing-public-keys': { k: { 'public-key': KEY.pem, expiration: FUTURE, ...changes } },
  });
  const request = (pem: string): object => ({
    'packet-encryption-keys': { p: { 'certificate-signing-request': pem } },
  });
  const K = 'batch-signing-public-keys."k"';
  const P = 'packet-encryption-keys."p".certificate-signing-request';

  it.each<[ManifestKind, object, readonly string[]]>([
    ['ingestor-global', { format: 7 }, ['format is none that we know: 1']],
    ['ingestor-global', identity({ 'aws-iam-entity': 'me' }), ['server-identity.aws-iam-entity is no ARN of IAM']],
    [
      'ingestor-specific',
      identity({ 'gcp-service-account-id': 'x', 'gcp-service-account-email': '' }),
      [
        'server-identity.gcp-service-account-id is no number',
        'server-identity.gcp-service-account-email is no email address',
      ],
    ],
    [
      'ingestor-global',
      { 'batch-signing-public-keys': {} },
      ['batch-signing-public-keys is empty: no batch can be verified'],
    ],
    ['ingestor-global', key({ 'public-key': 'x' }), [`${K}.public-key is no PEM of a PUBLIC KEY`]],
    [
      'ingestor-global',
      key({ 'public-key': newKey('P-384').pem, expiration: '2026-11-21T10:00:00Z' }),
      [
        `${K}.public-key is not the SPKI of an uncompressed P-256 point`,
        `${K}.expiration is past: 2026-11-21T10:00:00.000Z`,
      ],
    ],
    ['data-share-processor-specific', key({ expiration: 'soon' }), [`${K}.expiration is no date and time of RFC 3339`]],
    [
      'data-share-processor-global',
      identity({ 'aws-account-id': 10 ** 12 }),
      ['server-identity.aws-account-id has more than 12 digits'],
    ],
    ['data-share-processor-specific', request('x'), [`${P} is no PEM of a CERTIFICATE REQUEST`]],
    [
      'data-share-processor-specific',
      request(signingRequest(KEY, newKey())),
      [`${P} is not signed by its own key with ECDSA and SHA-2`],
    ],
    [
      'data-share-processor-specific',
      { 'packet-encryption-keys': {} },
      ['packet-encryption-keys is empty: nobody can encrypt packets'],
    ],
    [
      'data-share-processor-specific',
      { 'ingestion-bucket': '/var/lib', 'ingestion-identity': 'me' },
      [
        'ingestion-bucket is neither gs:// nor s3://, so that nobody else can reach it',
        "ingestion-identity is neither an ARN of IAM nor a service account's email",
      ],
    ],
    ['portal-global', { 'pha-sum-part-bucket': 's3://a b' }, ['pha-sum-part-bucket is no storage location: no bucket']],
  ])('finds in %s %j', (kind, changes, findings) => {
    const manifest = json({ ...SOUND[kind](), ...changes });
    expect(lintManifest(kind, manifest, 'it', SETTINGS)).toEqual(findings.map((finding) => `it: ${finding}`));
  });
});
