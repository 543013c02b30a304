import { verify, type KeyObject } from 'node:crypto';
import { ManifestInvalid } from '../errors.ts';
import { DER_TAG, derElements, type DerElement } from './der.ts';
import { decodePem } from './pem.ts';
import { publicKeyOfSpki } from './public-key.ts';

/** A certificate signing request: a public key, and the proof that whoever asks has the private one. */
export interface SigningRequest {
  readonly publicKey: KeyObject;
  /** Whether its signature is by that key. */
  readonly isSelfSigned: boolean;
}

/** ECDSA signatures by the content of their object identifiers, RFC 5758 §3.2: 1.2.840.10045.4.3.2 and so on. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
]);

/**
 * Reads a PKCS#10 request (RFC 2986 §4) in PEM, on P-256, which node:crypto does not.
 *
 *     CertificationRequest ::= SEQUENCE { info, signatureAlgorithm SEQUENCE { OID }, signature BIT STRING }
 *     info ::= SEQUENCE { version INTEGER 0, subject Name, subjectPublicKeyInfo, attributes [0] }
 *
 * @param what for errors: source and field
 * @throws ManifestInvalid if it is none, or its key is none of P-256; a wrong signature is told by `isSelfSigned`
 */
export function parseSigningRequest(pem: string, what: string): SigningRequest {
  const der = decodePem(pem, 'CERTIFICATE REQUEST');
  if (!der) throw new ManifestInvalid(`${what} is no PEM of a CERTIFICATE REQUEST`);
  const malformed = (): never => {
    throw new ManifestInvalid(`${what} is no PKCS#10 certificate signing request in DER`);
  };
  const request = only(der, DER_TAG.sequence) ?? malformed();
  const parts = partsOf(request, [DER_TAG.sequence, DER_TAG.sequence, DER_TAG.bitString]) ?? malformed();
  const [info, algorithm, signature] = parts as [DerElement, DerElement, DerElement];
  const infoTags = [DER_TAG.integer, DER_TAG.sequence, DER_TAG.sequence, DER_TAG.context0];
  const [version, , spki] = (partsOf(info, infoTags) ?? malformed()) as [
    DerElement,
    DerElement,
    DerElement,
    DerElement,
  ];
  // The first byte counts unused bits, of which a whole number of bytes has none.
  if (!version.content.equals(Buffer.of(0)) || signature.content[0] !== 0) malformed();
  const [identifier] = derElements(algorithm.content) ?? malformed();
  if (identifier?.tag !== DER_TAG.objectIdentifier) malformed();
  const publicKey = publicKeyOfSpki(spki.whole, `the key of ${what}`);
  const hash = HASHES.get(identifier?.content.toString('hex') ?? '');
  const isSelfSigned = hash !== undefined && verify(hash, info.whole, publicKey, signature.content.subarray(1));
  return { publicKey, isSelfSigned };
}

function only(bytes: Buffer, tag: number): DerElement | undefined {
  const elements = derElements(bytes);
  return elements?.length === 1 && elements[0]?.tag === tag ? elements[0] : undefined;
}

/** The elements in `parent` if they have these tags, in this order. */
function partsOf(parent: DerElement, tags: readonly number[]): readonly DerElement[] | undefined {
  const elements = derElements(parent.content);
  return elements?.length === tags.length && tags.every((tag, i) => elements[i]?.tag === tag) ? elements : undefined;
}
