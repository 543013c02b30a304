import { createECDH, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encryptPayload } from '../../../facilitator/crypto/ecies.ts';
import {
  parseDecryptionKeys,
  parseEncryptionKey,
  parseSigningKey,
  parseVerificationKey,
} from '../../../facilitator/crypto/keys.ts';
import { isSignedBy, signHeader } from '../../../facilitator/crypto/signature.ts';
import { seededRandom } from '../../support/prio.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const der = (key: KeyObject): Buffer =>
  key.type === 'private' ? key.export({ type: 'pkcs8', format: 'der' }) : key.export({ type: 'spki', format: 'der' });

function packetKey(label: string): { both: Buffer; point: Buffer } {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(seededRandom(label)(32));
  return { both: Buffer.concat([ecdh.getPublicKey(), ecdh.getPrivateKey()]), point: ecdh.getPublicKey() };
}

const one = packetKey('one');
const two = packetKey('two');
const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const spki = der(signing.publicKey);
const point = spki.subarray(26);

describe('packet decryption keys', () => {
  it('are kept in the order given', () => {
    const keys = parseDecryptionKeys(`${base64(one.both)}, ${base64(two.both)}\n`, 'keys');
    expect(keys.map((key) => key.publicKey)).toEqual([one.point, two.point]);
  });

  const swapped = Buffer.concat([one.point, two.both.subarray(65)]);
  it.each([
    ['the placeholder', 'not-a-real-key', /placeholder "not-a-real-key": generate a key/],
    ['a placeholder beside a key', `${base64(one.both)},not-a-real-key`, /keys, key 2 of 2 is still the placeholder/],
    ['nothing', '', /not standard base64/],
    ['a trailing comma', `${base64(one.both)},`, /key 2 of 2 is not standard base64/],
    ['no base64', '!!!!', /not standard base64/],
    ['URL-safe base64', '-_-_', /not standard base64/],
    ['unpadded base64', base64(one.both).replaceAll('=', ''), /not standard base64/],
    ['a point alone', base64(one.point), /has 65 bytes/],
    ['PKCS#8', base64(der(signing.privateKey)), /has \d+ bytes/],
    ['a scalar of 0', base64(Buffer.concat([one.point, Buffer.alloc(32)])), /no scalar/],
    ['a scalar above n', base64(Buffer.concat([one.point, Buffer.alloc(32, 0xff)])), /no scalar/],
    ['halves of two keys', base64(swapped), /inconsistent/],
  ])('are refused: %s', (_, text, message) => {
    let error: unknown;
    try {
      parseDecryptionKeys(text, 'keys');
    } catch (err) {
      error = err;
    }
    expect(error).toMatchObject({ code: 'E_KEY', message: expect.stringMatching(message) });
    // Nothing of the value is quoted, nor of its decoded bytes.
    if (text.length > 20) expect(String(error)).not.toContain(text.slice(10, 30));
  });
});

describe('a packet encryption key', () => {
  it.each([
    ['the point', base64(one.point)],
    ['a private key that begins with it', base64(one.both)],
  ])('may be %s', (_, text) => {
    const key = parseEncryptionKey(text, 'key');
    const [decryptor] = parseDecryptionKeys(base64(one.both), 'keys');
    expect(decryptor?.decrypt(encryptPayload(key, Buffer.from('x'), seededRandom('e')))).toEqual(Buffer.from('x'));
  });

  it.each([
    ['off the curve', base64(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]))],
    ['too short', base64(one.point.subarray(0, 64))],
    ['the placeholder', 'not-a-real-key'],
  ])('is refused: %s', (_, text) => {
    expect(() => parseEncryptionKey(text, 'key')).toThrow(expect.objectContaining({ code: 'E_KEY' }));
  });
});

describe('a verification key', () => {
  const signer = parseSigningKey(base64(der(signing.privateKey)), 'id', 'signing key');
  const header = Buffer.from('header');
  const signature = signHeader(header, signer);

  it.each([
    ['SPKI in PEM', signing.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['base64 of SPKI', base64(spki)],
    ['base64 of PKCS#8', base64(der(signing.privateKey))],
    ['base64 of the point', base64(point)],
    ['base64 with a line end', `${base64(spki)}\n`],
  ])('may be %s', (_, text) => {
    const key = parseVerificationKey(text, 'key');
    expect(isSignedBy(header, signature, key)).toBe(true);
    expect(isSignedBy(Buffer.from('hEader'), signature, key)).toBe(false);
    expect(isSignedBy(header, signature.subarray(1), key)).toBe(false);
    expect(isSignedBy(header, new Uint8Array(0), key)).toBe(false);
  });

  it.each([
    ['the placeholder', 'not-a-real-key', /placeholder/],
    ['a PEM of nonsense', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /cannot be read/],
    ['another curve', base64(der(otherCurve.publicKey)), /not on the curve P-256/],
    ['RSA', base64(der(rsa.publicKey)), /not on the curve P-256/],
    ['a point off the curve', base64(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)])), /uncompressed point/],
    ['random bytes', base64(seededRandom('nonsense')(91)), /cannot be read/],
  ])('is refused: %s', (_, text, message) => {
    expect(() => parseVerificationKey(text, 'key')).toThrow(
      expect.objectContaining({ code: 'E_KEY', message: expect.stringMatching(message) }),
    );
  });

  it('is not guessed for a signing key: SPKI cannot sign', () => {
    expect(() => parseSigningKey(base64(spki), 'id', 'signing key')).toThrow(
      expect.objectContaining({ code: 'E_KEY', message: expect.stringContaining('PKCS#8') }),
    );
  });

  it('signs differently each time, and both verify', () => {
    const again = signHeader(header, signer);
    expect(again).not.toEqual(signature);
    expect(isSignedBy(header, again, signer.publicKey)).toBe(true);
  });
});
