import { createPublicKey, type KeyObject } from 'node:crypto';
import { P256_SPKI_PREFIX } from '../crypto/p256.ts';
import { ManifestInvalid } from '../errors.ts';
import { decodePem } from './pem.ts';

const P256_SPKI_LENGTH = 91;

/**
 * A batch signing public key: PEM with the label `PUBLIC KEY`, in it P-256 SPKI with an uncompressed point.
 * @param what for errors: source and field
 * @throws ManifestInvalid
 */
export function parseManifestPublicKey(pem: string, what: string): KeyObject {
  const der = decodePem(pem, 'PUBLIC KEY');
  if (!der) throw new ManifestInvalid(`${what} is no PEM of a PUBLIC KEY`);
  return publicKeyOfSpki(der, what);
}

/** @throws ManifestInvalid */
export function publicKeyOfSpki(der: Buffer, what: string): KeyObject {
  if (der.length !== P256_SPKI_LENGTH || !der.subarray(0, P256_SPKI_PREFIX.length).equals(P256_SPKI_PREFIX)) {
    throw new ManifestInvalid(`${what} is not the SPKI of an uncompressed P-256 point`);
  }
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    // OpenSSL's text is of no help.
    throw new ManifestInvalid(`${what} has a point that is not on P-256`);
  }
}

/** The 65-byte uncompressed point. @param key on P-256 */
export function pointOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(P256_SPKI_PREFIX.length);
}
