import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifestPublicKey, pointOf } from '../../../facilitator/manifest/public-key.ts';
import { parseSigningRequest } from '../../../facilitator/manifest/signing-request.ts';
import { KEY, newKey, pemOf, requestDer, signingRequest } from './manifests.ts';

const refusal = (message: string): Error =>
  expect.objectContaining({ code: 'E_MANIFEST', message: expect.stringContaining(message) as string }) as Error;

describe('a certificate signing request', () => {
  it.each(['sha256', 'sha384', 'sha512'])('is read, and its signature verified, with %s', (hash) => {
    const { publicKey, isSelfSigned } = parseSigningRequest(signingRequest(KEY, KEY, hash), 'it');
    expect(publicKey.equals(KEY.publicKey)).toBe(true);
    expect(isSelfSigned).toBe(true);
    expect(pointOf(publicKey)).toHaveLength(65);
  });

  it('is told from one that another key has signed', () => {
    expect(parseSigningRequest(signingRequest(KEY, newKey()), 'it').isSelfSigned).toBe(false);
  });

  it.skipIf(!hasOpenssl())('is read as openssl writes it', () => {
    const newP256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
    const pem = execFileSync('openssl', ['req', '-new', ...newP256, '-subj', '/CN=example.com/O=x'], { stdio: 'pipe' });
    expect(parseSigningRequest(pem.toString(), 'it').isSelfSigned).toBe(true);
  });

  it.each([
    ['text', 'x', 'is no PEM of a CERTIFICATE REQUEST'],
    ['another label', KEY.pem, 'is no PEM of a CERTIFICATE REQUEST'],
    ['no DER', pemOf('CERTIFICATE REQUEST', Buffer.from('hello')), 'is no PKCS#10'],
    [
      'bytes at the end',
      pemOf('CERTIFICATE REQUEST', Buffer.concat([requestDer(KEY), Buffer.of(5, 0)])),
      'is no PKCS#10',
    ],
    [
      'a key on another curve',
      signingRequest(newKey('P-384')),
      'the key of it is not the SPKI of an uncompressed P-256',
    ],
  ])('is refused: %s', (_name, pem, message) => {
    expect(() => parseSigningRequest(pem, 'it')).toThrow(refusal(message));
  });

  it('that is damaged anywhere is refused or not taken for signed, and never anything else', () => {
    const sound = requestDer(KEY);
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(sound);
        bytes[at]! ^= flip;
        expect(outcomeOf(bytes)).not.toBe('signed');
      }),
      { numRuns: 400 },
    );
  });

  it('that is cut short anywhere is refused', () => {
    const sound = requestDer(KEY);
    for (let length = 0; length < sound.length; length++) expect(outcomeOf(sound.subarray(0, length))).toBe('refused');
  });

  it('of any bytes is refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => outcomeOf(Buffer.from(bytes)) === 'refused'));
  });
});

describe('a public key of a manifest', () => {
  it('is SPKI in PEM', () => {
    expect(parseManifestPublicKey(KEY.pem, 'it').equals(KEY.publicKey)).toBe(true);
    expect(parseManifestPublicKey(KEY.pem.replaceAll('\n', '\r\n'), 'it').equals(KEY.publicKey)).toBe(true);
  });

  const spki = KEY.publicKey.export({ format: 'der', type: 'spki' });
  const offCurve = Buffer.from(spki);
  offCurve[90]! ^= 1;
  it.each([
    ['base64 without PEM', spki.toString('base64')],
    ['another label', pemOf('EC PUBLIC KEY', spki)],
    ['labels that differ', KEY.pem.replace('END PUBLIC', 'END')],
    ['a private key', KEY.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()],
    ['another curve', newKey('P-384').pem],
    ['too short', pemOf('PUBLIC KEY', spki.subarray(0, 90))],
    ['too long', pemOf('PUBLIC KEY', Buffer.concat([spki, Buffer.of(0)]))],
    ['a point that is not on the curve', pemOf('PUBLIC KEY', offCurve)],
    ['two of them', KEY.pem + KEY.pem],
    ['nothing', ''],
  ])('is refused: %s', (_name, pem) => {
    expect(() => parseManifestPublicKey(pem, 'it')).toThrow(refusal('it '));
  });
});

function outcomeOf(bytes: Buffer): 'refused' | 'unsigned' | 'signed' {
  try {
    return parseSigningRequest(pemOf('CERTIFICATE REQUEST', bytes), 'it').isSelfSigned ? 'signed' : 'unsigned';
  } catch (err) {
    expect(err).toMatchObject({ code: 'E_MANIFEST' });
    return 'refused';
  }
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
