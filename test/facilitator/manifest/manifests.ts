import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A P-256 key with what manifests say of it. */
export interface PublishedKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly pem: string;
}

export function newKey(namedCurve = 'P-256'): PublishedKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return { privateKey, publicKey, pem: publicKey.export({ format: 'pem', type: 'spki' }).toString() };
}

export const KEY = newKey();

export const FUTURE = '2126-01-01T00:00:00Z';

type Fields = Readonly<Record<string, unknown>>;

export const ingestor = (keys: Fields = { k1: { 'public-key': KEY.pem, expiration: FUTURE } }): Fields => ({
  format: 1,
  'server-identity': {
    'aws-iam-entity': null,
    'gcp-service-account-id': '1234',
    'gcp-service-account-email': 'ingestor@project.iam.gserviceaccount.com',
  },
  'batch-signing-public-keys': keys,
});

export const processorGlobal = (): Fields => ({
  format: 1,
  'server-identity': {
    'aws-account-id': 123456789012,
    'gcp-service-account-email': 'processor@project.iam.gserviceaccount.com',
  },
});

export const processorSpecific = (): Fields => ({
  format: 2,
  'ingestion-bucket': 's3://us-west-1/ingestion-bucket',
  'ingestion-identity': 'arn:aws:iam::123456789012:role/writer',
  'peer-validation-bucket': 'gs://validation-bucket/prefix',
  'peer-validation-identity': '',
  'batch-signing-public-keys': { k1: { 'public-key': KEY.pem, expiration: FUTURE } },
  'packet-encryption-keys': { p1: { 'certificate-signing-request': signingRequest(KEY) } },
});

export const portal = (): Fields => ({
  format: 1,
  'facilitator-sum-part-bucket': 'gs://facilitator-sums',
  'pha-sum-part-bucket': 's3://us-east-1/pha-sums',
});

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), content]);
}

const COMMON_NAME = der(
  0x30,
  der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from('example.com')))),
);
const ECDSA: Readonly<Record<string, string>> = {
  sha256: '2a8648ce3d040302',
  sha384: '2a8648ce3d040303',
  sha512: '2a8648ce3d040304',
};

/** A certificate signing request for a key, signed by it or by another. */
export function requestDer(key: PublishedKey, signer: PublishedKey = key, hash = 'sha256'): Buffer {
  const spki = key.publicKey.export({ format: 'der', type: 'spki' });
  const info = der(0x30, Buffer.from('020100', 'hex'), COMMON_NAME, spki, der(0xa0));
  const signature = sign(hash, info, signer.privateKey);
  const algorithm = der(0x30, der(0x06, Buffer.from(ECDSA[hash]!, 'hex')));
  return der(0x30, info, algorithm, der(0x03, Buffer.of(0), signature));
}

export function pemOf(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

export function signingRequest(key: PublishedKey, signer?: PublishedKey, hash?: string): string {
  return pemOf('CERTIFICATE REQUEST', requestDer(key, signer, hash));
}
