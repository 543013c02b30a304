import { createCipheriv, createECDH, createHash } from 'node:crypto';

/*
 * AES-GCM does not commit to a key. Its tag is linear in the ciphertext over GF(2^128), so for two keys one block of
 * ciphertext can be chosen such that both give the same tag. This makes such a payload, as a hostile ingestion client
 * could: it opens under either of two recipients' keys, to different plaintexts.
 */

/** Multiplication in GF(2^128) in GCM's bit order (NIST SP 800-38D §6.3). */
function multiply(x: bigint, y: bigint): bigint {
  const R = 0xe1n << 120n;
  let product = 0n;
  for (let i = 127n, v = y; i >= 0n; i--) {
    if ((x >> i) & 1n) product ^= v;
    v = v & 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return product;
}

/** 1/x = x^(2^128 - 2). */
function invert(x: bigint): bigint {
  let result = 1n << 127n;
  for (let i = 0, square = multiply(x, x); i < 127; i++, square = multiply(square, square)) {
    result = multiply(result, square);
  }
  return result;
}

const toBigint = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const toBlock = (n: bigint): Buffer => Buffer.from(n.toString(16).padStart(32, '0'), 'hex');

const ghash = (h: bigint, blocks: readonly bigint[]): bigint => blocks.reduce((y, x) => multiply(y ^ x, h), 0n);

interface GcmKey {
  /** The hash key, AES(0). */
  readonly h: bigint;
  /** What the hash is masked with, AES(J0). */
  readonly mask: bigint;
}

function gcmKey(scalar: Uint8Array, ephemeral: Uint8Array): GcmKey {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  const derived = createHash('sha256')
    .update(ecdh.computeSecret(ephemeral))
    .update(Uint8Array.of(0, 0, 0, 1))
    .update(ephemeral)
    .digest();
  const aes = (block: Buffer): bigint =>
    toBigint(createCipheriv('aes-128-ecb', derived.subarray(0, 16), null).setAutoPadding(false).update(block));
  const h = aes(Buffer.alloc(16));
  // A 128-bit IV is hashed, followed by its length in bits.
  const j0 = ghash(h, [toBigint(derived.subarray(16, 32)), 128n]);
  return { h, mask: aes(toBlock(j0)) };
}

/**
 * @param scalars the two recipients' private keys, 32 bytes each
 * @param ephemeralScalar 32 bytes
 * @param ciphertext what to send; a whole number of 16-byte blocks, the last of which is chosen here
 */
export function twoKeyPayload(
  scalars: readonly [Uint8Array, Uint8Array],
  ephemeralScalar: Uint8Array,
  ciphertext: Uint8Array,
): Buffer {
  const ephemeral = createECDH('prime256v1');
  ephemeral.setPrivateKey(ephemeralScalar);
  const point = ephemeral.getPublicKey();
  const [a, b] = scalars.map((scalar) => gcmKey(scalar, point)) as [GcmKey, GcmKey];
  const blocks = Array.from({ length: ciphertext.length / 16 - 1 }, (_, i) =>
    toBigint(ciphertext.subarray(16 * i, 16 * (i + 1))),
  );
  const lengths = BigInt(8 * ciphertext.length);
  const tag = (key: GcmKey, last: bigint): bigint => ghash(key.h, [...blocks, last, lengths]) ^ key.mask;
  // The tags differ by D when the last block is 0; each bit of it contributes (Ha^2 + Hb^2) times itself.
  const difference = tag(a, 0n) ^ tag(b, 0n);
  const last = multiply(difference, invert(multiply(a.h, a.h) ^ multiply(b.h, b.h)));
  return Buffer.concat([point, ...[...blocks, last].map(toBlock), toBlock(tag(a, last))]);
}
