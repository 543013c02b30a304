import { createECDH, createPrivateKey, diffieHellman, type KeyObject } from 'node:crypto';
import { P256_SPKI_PREFIX } from './p256.ts';

/**
 * Key agreement over P-256 (SEC 1 §3.3.1), always OpenSSL's. The runtime has two ways to it, of which one is cheaper:
 * `createECDH` checks the private key anew at each call, which costs as much as the agreement; `diffieHellman` does not,
 * but only takes a point without importing it as a key first from Node 24 on.
 */
export const AGREEMENTS = ['createECDH', 'diffieHellman'] as const;
export type Agreement = (typeof AGREEMENTS)[number];

/**
 * The shared secret, 32 bytes. @param point 65 bytes, beginning with 4
 * @throws Error of node:crypto if it is no point of the curve
 */
export type Agree = (point: Uint8Array) => Uint8Array;

const CURVE = 'prime256v1';
const COORDINATE_LENGTH = 32;

/** @param scalar 32 bytes, big-endian, in [1, n); else it throws an `Error` of node:crypto */
export function agreeBy(agreement: Agreement, scalar: Uint8Array): Agree {
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(scalar);
  if (agreement === 'createECDH') return (point) => ecdh.computeSecret(point);
  const privateKey = privateKeyOf(scalar, ecdh.getPublicKey());
  const spki = Buffer.concat([P256_SPKI_PREFIX, ecdh.getPublicKey()]);
  return (point) => {
    spki.set(point, P256_SPKI_PREFIX.length);
    return agreeWithDer(privateKey, spki);
  };
}

/**
 * The cheaper of the two in this process, by trying both for some milliseconds.
 * @param stopwatch milliseconds, with fractions
 */
export function cheaperAgreement(stopwatch: () => number): Agreement {
  const scalar = new Uint8Array(COORDINATE_LENGTH).fill(1);
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const [other, agree] = AGREEMENTS.map((agreement) => agreeBy(agreement, scalar)) as [Agree, Agree];
  try {
    agree(point);
  } catch {
    // What this runtime does not take.
    return 'createECDH';
  }
  return costOf(agree, point, stopwatch) < costOf(other, point, stopwatch) ? 'diffieHellman' : 'createECDH';
}

const ROUNDS = 5;
const CALLS_A_ROUND = 8;

/** Of the best round, as whatever disturbs a round only makes it longer. */
function costOf(agree: Agree, point: Uint8Array, stopwatch: () => number): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = stopwatch();
    for (let call = 0; call < CALLS_A_ROUND; call++) agree(point);
    best = Math.min(best, stopwatch() - start);
  }
  return best;
}

function privateKeyOf(scalar: Uint8Array, point: Buffer): KeyObject {
  const text = (begin: number): string => point.subarray(begin, begin + COORDINATE_LENGTH).toString('base64url');
  const d = Buffer.from(scalar).toString('base64url');
  const key = { kty: 'EC', crv: 'P-256', d, x: text(1), y: text(1 + COORDINATE_LENGTH) };
  return createPrivateKey({ key, format: 'jwk' });
}

function agreeWithDer(privateKey: KeyObject, spki: Buffer): Buffer {
  const publicKey = { key: spki, format: 'der', type: 'spki' };
  // The types are those of Node 20, which throws a TypeError here.
  return diffieHellman({ privateKey, publicKey: publicKey as unknown as KeyObject });
}
