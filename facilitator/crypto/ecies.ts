import { createCipheriv, createDecipheriv, createECDH, createHash, hash, hkdfSync } from 'node:crypto';
import { agreeBy, type Agree, type Agreement } from './agreement.ts';
import { agreementsChannel, NOTHING } from './agreements-channel.ts';

/**
 * The packets' encryption: ECIES over P-256 with the X9.63 KDF (SHA-256, one round) and AES-128-GCM under a 16-byte IV.
 * Payload: ephemeral public key (65 bytes, uncompressed) ‖ ciphertext ‖ tag (16). Source: docs/protocol.md,
 * "Packet encryption".
 */
const CURVE = 'prime256v1';
const CIPHER = 'aes-128-gcm';
const KDF_COUNTER = Uint8Array.of(0, 0, 0, 1);
const UNCOMPRESSED = 4;

/** Bytes of an uncompressed P-256 point: 4 ‖ X ‖ Y (SEC 1 §2.3.3). */
export const POINT_LENGTH = 65;
/** Bytes of a P-256 scalar. */
export const SCALAR_LENGTH = 32;
const TAG_LENGTH = 16;
const GCM_OPTIONS = { authTagLength: TAG_LENGTH };

/** For all payloads, as nothing waits while they are used: views would cost more than copies. */
const pointOfPayload = Buffer.alloc(POINT_LENGTH);
const tagOfPayload = Buffer.alloc(TAG_LENGTH);

/** Opens payloads under one private key. The object is reused because each import of a key costs as much as a use. */
export class PacketDecryptor {
  /** Tells keys apart where people look at them: 16 hexadecimal digits of SHA-256 over the public key. */
  readonly keyId: string;
  readonly #ecdh = createECDH(CURVE);
  readonly #agree: Agree;

  /**
   * @param scalar 32 bytes, big-endian, in [1, n); else it throws an `Error` of node:crypto
   * @param agreement how secrets are computed, which makes no difference but of time
   */
  constructor(scalar: Uint8Array, agreement: Agreement = 'createECDH') {
    this.#ecdh.setPrivateKey(scalar);
    this.#agree = agreeBy(agreement, scalar);
    this.keyId = createHash('sha256').update(this.publicKey).digest('hex').slice(0, 16);
  }

  /** The public key that belongs to the scalar, 65 bytes. */
  get publicKey(): Buffer {
    return this.#ecdh.getPublicKey();
  }

  /**
   * The plaintext, or `undefined` if this key does not open the payload, for whatever reason: too short, no point of
   * the curve, wrong tag. To tell these apart would help nobody but an attacker.
   */
  decrypt(payload: Uint8Array): Buffer | undefined {
    const secret = this.#secretOf(payload);
    return secret && unseal(payload, secret);
  }

  /**
   * `decrypt` of each. That is cheaper for many of them: each of its two steps is taken for all before the other, so
   * that neither drives the other's code and tables out of the processor's caches.
   */
  decryptAll(payloads: readonly Uint8Array[]): (Buffer | undefined)[] {
    agreementsChannel.begin.publish(NOTHING);
    const secrets = payloads.map((payload) => this.#secretOf(payload));
    agreementsChannel.end.publish(NOTHING);
    return payloads.map((payload, i) => {
      const secret = secrets[i];
      return secret && unseal(payload, secret);
    });
  }

  /** What is agreed on with the ephemeral key of a payload, `undefined` if there is none. */
  #secretOf(payload: Uint8Array): Uint8Array | undefined {
    // OpenSSL also takes compressed and hybrid points; the reference does not, and the peer must judge alike.
    if (payload.length < POINT_LENGTH + TAG_LENGTH || payload[0] !== UNCOMPRESSED) return undefined;
    copyBytes(payload, 0, pointOfPayload);
    try {
      return this.#agree(pointOfPayload);
    } catch {
      return undefined;
    }
  }

  /**
   * A secret of whoever holds this key, for another purpose than packets: HKDF-SHA-256 (RFC 5869) of the scalar.
   * There is no salt. The scalar is as good as uniformly random, so extraction has nothing to make up for (§3.3), and a
   * random salt would have to be kept, and make executions differ.
   * @param info names the purpose; secrets of different `info` tell nothing of each other. At most 1024 bytes
   * @param length in bytes, at most 8160
   */
  deriveSecret(info: string | Uint8Array, length: number): Buffer {
    return Buffer.from(hkdfSync('sha256', this.privateScalar(), '', info, length));
  }

  /**
   * SECRET: the private key itself, 32 bytes, big-endian. It is for the threads of this process that open packets, and
   * must not be logged, stored, or kept for longer than it takes to make a decryptor of it.
   */
  privateScalar(): Buffer {
    const scalar = Buffer.alloc(SCALAR_LENGTH);
    // OpenSSL leaves out leading zeros.
    const digits = this.#ecdh.getPrivateKey();
    scalar.set(digits, SCALAR_LENGTH - digits.length);
    return scalar;
  }
}

/** @param payload at least a point and a tag @returns `undefined` if the tag is wrong */
function unseal(payload: Uint8Array, secret: Uint8Array): Buffer | undefined {
  const tagAt = payload.length - TAG_LENGTH;
  copyBytes(payload, tagAt, tagOfPayload);
  const { key, iv } = deriveKey(secret, payload);
  try {
    const decipher = createDecipheriv(CIPHER, key, iv, GCM_OPTIONS);
    decipher.setAuthTag(tagOfPayload);
    const plain = decipher.update(payload.subarray(POINT_LENGTH, tagAt));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/**
 * Encrypts for the holder of a private key.
 * @param recipient 65 bytes, uncompressed
 * @param random gives the ephemeral scalar: uniformly random, or whoever knows it reads the plaintext
 * @throws Error of node:crypto if `recipient` is no point of the curve
 */
export function encryptPayload(
  recipient: Uint8Array,
  plain: Uint8Array,
  random: (length: number) => Uint8Array,
): Buffer {
  const ecdh = createECDH(CURVE);
  drawPrivateKey(ecdh, random);
  const ephemeral = ecdh.getPublicKey();
  const { key, iv } = deriveKey(ecdh.computeSecret(recipient), ephemeral);
  const cipher = createCipheriv(CIPHER, key, iv, GCM_OPTIONS);
  const sealed = cipher.update(plain);
  cipher.final();
  return Buffer.concat([ephemeral, sealed, cipher.getAuthTag()]);
}

/** A scalar outside [1, n), one in 2^32 draws, is drawn again; a source that only gives such is broken. */
function drawPrivateKey(ecdh: ReturnType<typeof createECDH>, random: (length: number) => Uint8Array): void {
  for (let draws = 0; ; draws++) {
    try {
      ecdh.setPrivateKey(random(SCALAR_LENGTH));
      return;
    } catch (cause) {
      if (draws === 8) throw new Error('the source of randomness gives no scalar of P-256', { cause });
    }
  }
}

/** Fills `target` with the bytes from `start` on, of which there are enough. */
function copyBytes(source: Uint8Array, start: number, target: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] = source[start + i]!;
}

const SECRET_LENGTH = 32;
const KEY_LENGTH = 16;

/** One for all packets, as nothing waits in between: each buffer of its own costs as much as half of the hash. */
const kdfInput = Buffer.concat([Buffer.alloc(SECRET_LENGTH), KDF_COUNTER, Buffer.alloc(POINT_LENGTH)]);
const pointInKdf = kdfInput.subarray(SECRET_LENGTH + KDF_COUNTER.length);
const derived = Buffer.alloc(2 * KEY_LENGTH);
const keyAndIv = { key: derived.subarray(0, KEY_LENGTH), iv: derived.subarray(KEY_LENGTH) };

/** @param payload begins with the ephemeral key, or is that alone @returns what the next call overwrites */
function deriveKey(secret: Uint8Array, payload: Uint8Array): typeof keyAndIv {
  kdfInput.set(secret);
  copyBytes(payload, 0, pointInKdf);
  // As text, because bytes would come in a buffer of their own.
  derived.write(hash('sha256', kdfInput, 'binary'), 'latin1');
  return keyAndIv;
}
