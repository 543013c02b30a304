import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseIngestorManifest,
  parsePortalManifest,
  parseProcessorGlobalManifest,
  parseProcessorSpecificManifest,
} from '../../../facilitator/manifest/kinds.ts';
import {
  FUTURE,
  ingestor,
  json,
  KEY,
  portal,
  processorGlobal,
  processorSpecific,
  signingRequest,
} from './manifests.ts';

const URL = 'https://a.example/global-manifest.json';
const EMAIL = { 'gcp-service-account-email': 'a@b.c' };

const KINDS = {
  ingestor: { parse: parseIngestorManifest, sound: ingestor },
  'processor, global': { parse: parseProcessorGlobalManifest, sound: processorGlobal },
  'processor, specific': { parse: parseProcessorSpecificManifest, sound: processorSpecific },
  portal: { parse: parsePortalManifest, sound: portal },
} as const;
type Kind = keyof typeof KINDS;

describe('a sound manifest', () => {
  it('of the ingestor has its keys and identity, null for none', () => {
    const manifest = parseIngestorManifest(json(ingestor()), URL);
    expect(manifest.serverIdentity).toEqual({
      awsIamEntity: undefined,
      gcpServiceAccountId: '1234',
      gcpServiceAccountEmail: 'ingestor@project.iam.gserviceaccount.com',
    });
    expect([...manifest.batchSigningPublicKeys]).toEqual([['k1', { publicKey: KEY.pem, expiration: FUTURE }]]);
  });

  it.each([
    [0, { ...EMAIL, 'gcp-service-account-id': '12' }],
    [1, { ...EMAIL, 'aws-account-id': 12 }],
    [1, EMAIL],
  ])('of a processor for all has format %d and at most one identity', (format, identity) => {
    const manifest = parseProcessorGlobalManifest(json({ format, 'server-identity': identity }), URL);
    expect(manifest.serverIdentity.gcpServiceAccountEmail).toBe('a@b.c');
  });

  it('of a processor for an instance has buckets and keys, and "" or nothing for no identity', () => {
    const manifest = parseProcessorSpecificManifest(json({ ...processorSpecific(), format: 1 }), URL);
    expect(manifest).toMatchObject({
      ingestionBucket: 's3://us-west-1/ingestion-bucket',
      ingestionIdentity: 'arn:aws:iam::123456789012:role/writer',
      peerValidationBucket: 'gs://validation-bucket/prefix',
      peerValidationIdentity: undefined,
    });
    expect(manifest.packetEncryptionKeys.get('p1')).toContain('CERTIFICATE REQUEST');
  });

  it('of the portal has two buckets', () => {
    expect(parsePortalManifest(json(portal()), URL)).toEqual({
      facilitatorSumPartBucket: 'gs://facilitator-sums',
      phaSumPartBucket: 's3://us-east-1/pha-sums',
    });
  });
});

describe('a manifest is refused, with URL and field,', () => {
  const key = { 'public-key': KEY.pem, expiration: FUTURE };
  it.each<[Kind, string, object]>([
    ['ingestor', 'format is none that we know: 1', { format: 2 }],
    ['ingestor', 'format is none that we know: 1', { format: '1' }],
    ['ingestor', 'format is missing', { format: undefined }],
    ['ingestor', 'x is unknown', { x: 1 }],
    ['ingestor', '"a b" is unknown', { 'a b': 1 }],
    ['ingestor', 'server-identity is no object', { 'server-identity': null }],
    ['ingestor', 'server-identity is missing', { 'server-identity': undefined }],
    ['ingestor', 'server-identity.gcp-service-account-email is missing', { 'server-identity': {} }],
    ['ingestor', 'server-identity.x is unknown', { 'server-identity': { ...EMAIL, x: 1 } }],
    [
      'ingestor',
      'server-identity.aws-iam-entity is no string',
      { 'server-identity': { ...EMAIL, 'aws-iam-entity': 1 } },
    ],
    ['ingestor', 'batch-signing-public-keys is no object', { 'batch-signing-public-keys': [] }],
    ['ingestor', 'batch-signing-public-keys.k.x is unknown', { 'batch-signing-public-keys': { k: { ...key, x: 1 } } }],
    [
      'ingestor',
      'batch-signing-public-keys.k.expiration is missing',
      { 'batch-signing-public-keys': { k: { 'public-key': 'a' } } },
    ],
    ['processor, global', 'format is none that we know: 0 or 1', { format: 2 }],
    [
      'processor, global',
      'server-identity has both',
      { 'server-identity': { ...EMAIL, 'aws-account-id': 1, 'gcp-service-account-id': '1' } },
    ],
    [
      'processor, global',
      'server-identity.gcp-service-account-id is no string',
      { 'server-identity': { ...EMAIL, 'gcp-service-account-id': 1 } },
    ],
    [
      'processor, global',
      'server-identity.aws-account-id is no unsigned integer',
      { 'server-identity': { ...EMAIL, 'aws-account-id': -1 } },
    ],
    [
      'processor, global',
      'server-identity.aws-account-id is no unsigned integer',
      { 'server-identity': { ...EMAIL, 'aws-account-id': '1' } },
    ],
    ['processor, specific', 'format is none that we know: 1 or 2', { format: 0 }],
    ['processor, specific', 'ingestion-identity is null; leave it out', { 'ingestion-identity': null }],
    ['processor, specific', 'peer-validation-identity is null', { 'peer-validation-identity': null }],
    ['processor, specific', 'ingestion-bucket is empty', { 'ingestion-bucket': '' }],
    ['processor, specific', 'peer-validation-bucket is missing', { 'peer-validation-bucket': undefined }],
    [
      'processor, specific',
      'packet-encryption-keys.p.x is unknown',
      { 'packet-encryption-keys': { p: { 'certificate-signing-request': signingRequest(KEY), x: 1 } } },
    ],
    ['portal', 'pha-sum-part-bucket is no string', { 'pha-sum-part-bucket': 1 }],
    ['portal', 'format is none that we know: 1', { format: 0 }],
  ])('%s: %s', (kind, message, change) => {
    const { parse, sound } = KINDS[kind];
    const parsing = (): unknown => parse(json({ ...sound(), ...change }), URL);
    expect(parsing).toThrow(expect.objectContaining({ code: 'E_MANIFEST', fate: 'retry' }) as Error);
    expect(parsing).toThrow(`${URL}: ${message}`);
  });

  it.each(['', '{', '<html>secret</html>', '\uFEFF{}', '[]', 'null', '"x"', '1'])('as a file: %j', (text) => {
    for (const { parse } of Object.values(KINDS)) {
      expect(() => parse(Buffer.from(text), URL)).toThrow(expect.objectContaining({ code: 'E_MANIFEST' }) as Error);
      expect(() => parse(Buffer.from(text), URL)).not.toThrow('secret');
    }
  });

  it('where bytes are no UTF-8', () => {
    expect(() => parsePortalManifest(Buffer.of(0x22, 0xff, 0x22), URL)).toThrow('is no JSON in UTF-8');
  });

  it('and nothing else ever happens, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.constantFrom(...Object.values(KINDS)), (text, { parse }) => {
        expect(() => parse(Buffer.from(text), URL)).toThrow(expect.objectContaining({ code: 'E_MANIFEST' }) as Error);
      }),
    );
  });

  it('when any one field of any object is unknown', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...Object.values(KINDS)), (name, { parse, sound }) => {
        const manifest = sound();
        fc.pre(!(name in manifest) && name !== '__proto__');
        expect(() => parse(json({ ...manifest, [name]: 1 }), URL)).toThrow('is unknown');
      }),
    );
  });
});
