import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { KeyInvalid } from '../errors.ts';
import { PacketDecryptor, POINT_LENGTH, SCALAR_LENGTH } from './ecies.ts';
import { P256_SPKI_PREFIX } from './p256.ts';
import type { SigningKey } from './signature.ts';

/**
 * Keys as operators hand them over: docs/protocol.md, "Key encodings". Every error names the option (`what`) and
 * never quotes the value.
 */

/** Terraform installs this where a key has yet to be generated. */
const PLACEHOLDER = 'not-a-real-key';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const PRIVATE_KEY_LENGTH = POINT_LENGTH + SCALAR_LENGTH;

/**
 * Packet decryption keys, in the order given, which is the order in which they are tried.
 * @param text comma-separated base64 of 97 bytes each: uncompressed public point ‖ scalar
 */
export function parseDecryptionKeys(text: string, what: string): PacketDecryptor[] {
  return text.split(',').map((item, i, all) => {
    const name = all.length === 1 ? what : `${what}, key ${i + 1} of ${all.length}`;
    const bytes = decodeKey(item, name);
    if (bytes.length !== PRIVATE_KEY_LENGTH) {
      throw new KeyInvalid(
        `${name} has ${bytes.length} bytes; a packet decryption key is the base64 of ${PRIVATE_KEY_LENGTH}: the uncompressed P-256 point, then the scalar`,
      );
    }
    const decryptor = makeDecryptor(bytes.subarray(POINT_LENGTH), name);
    if (!decryptor.publicKey.equals(bytes.subarray(0, POINT_LENGTH))) {
      throw new KeyInvalid(
        `${name} is inconsistent: its first ${POINT_LENGTH} bytes are not the public key of its scalar`,
      );
    }
    return decryptor;
  });
}

function makeDecryptor(scalar: Uint8Array, name: string): PacketDecryptor {
  try {
    return new PacketDecryptor(scalar);
  } catch {
    // node:crypto's message is of no help and its error could one day quote the key.
    throw new KeyInvalid(`${name} holds no scalar of P-256 in its last ${SCALAR_LENGTH} bytes`);
  }
}

/** The 65-byte point to encrypt packets to. @param text base64 of it, or of a 97-byte private key that begins with it */
export function parseEncryptionKey(text: string, what: string): Uint8Array {
  const bytes = decodeKey(text, what);
  if (bytes.length !== POINT_LENGTH && bytes.length !== PRIVATE_KEY_LENGTH) {
    throw new KeyInvalid(
      `${what} has ${bytes.length} bytes; a packet encryption key is the base64 of a ${POINT_LENGTH}-byte uncompressed P-256 point`,
    );
  }
  const point = bytes.subarray(0, POINT_LENGTH);
  publicKeyOfPoint(point, what);
  return point;
}

/** @param text base64 of a PKCS#8 P-256 private key (DER) */
export function parseSigningKey(text: string, identifier: string, what: string): SigningKey {
  const privateKey = requireP256(privateKeyOfPkcs8(decodeKey(text, what)), what, 'the base64 of a PKCS#8 private key');
  return { identifier, privateKey, publicKey: createPublicKey(privateKey) };
}

/** @param text SPKI in PEM; or base64 of SPKI DER, of a PKCS#8 private key, or of the raw 65-byte point */
export function parseVerificationKey(text: string, what: string): KeyObject {
  const forms = 'an SPKI public key in PEM, or the base64 of SPKI or PKCS#8 DER or of a 65-byte point';
  if (text.trimStart().startsWith('-----BEGIN'))
    return requireP256(publicKeyOf({ key: text, format: 'pem' }), what, forms);
  const bytes = decodeKey(text, what);
  if (bytes.length === POINT_LENGTH) return publicKeyOfPoint(bytes, what);
  const privateKey = privateKeyOfPkcs8(bytes);
  const key = privateKey ? createPublicKey(privateKey) : publicKeyOf({ key: bytes, format: 'der', type: 'spki' });
  return requireP256(key, what, forms);
}

function decodeKey(text: string, what: string): Buffer {
  const trimmed = text.trim();
  if (trimmed === PLACEHOLDER) {
    throw new KeyInvalid(
      `${what} is still the placeholder "${PLACEHOLDER}": generate a key and store it in the secret that this option is read from`,
    );
  }
  if (trimmed === '' || !BASE64.test(trimmed))
    throw new KeyInvalid(`${what} is not standard base64 (RFC 4648 §4, padded)`);
  return Buffer.from(trimmed, 'base64');
}

function publicKeyOfPoint(point: Uint8Array, what: string): KeyObject {
  const key = publicKeyOf({ key: Buffer.concat([P256_SPKI_PREFIX, point]), format: 'der', type: 'spki' });
  return requireP256(key, what, 'an uncompressed point of P-256');
}

/** node:crypto's errors are dropped here and below: they say nothing about the form and might quote the input. */
function publicKeyOf(input: Parameters<typeof createPublicKey>[0]): KeyObject | undefined {
  try {
    return createPublicKey(input);
  } catch {
    return undefined;
  }
}

function privateKeyOfPkcs8(der: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    return undefined;
  }
}

function requireP256(key: KeyObject | undefined, what: string, forms: string): KeyObject {
  if (key === undefined) throw new KeyInvalid(`${what} cannot be read; it must be ${forms}`);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new KeyInvalid(`${what} is not on the curve P-256`);
  return key;
}
