import { createCipheriv, createDecipheriv, createECDH, createHash, hash, hkdfSync } from 'node:crypto';
import { agreeBy, type Agree, type Agreement } from './agreement.ts';

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
    // OpenSSL also takes compressed and hybrid points; the reference does not, and the peer must judge alike.
    if (payload.length < POINT_LENGTH + TAG_LENGTH || payload[0] !== UNCOMPRESSED) return undefined;
    const ephemeral = payload.subarray(0, POINT_LENGTH);
    const sealed = payload.subarray(POINT_LENGTH, payload.length - TAG_LENGTH);
    try {
      const { key, iv } = deriveKey(this.#agree(ephemeral), ephemeral);
      const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_LENGTH });
      decipher.setAuthTag(payload.subarray(payload.length - TAG_LENGTH));
      const plain = decipher.update(sealed);
      decipher.final();
      return plain;
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
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_LENGTH });
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

const SECRET_LENGTH = 32;
const KEY_LENGTH = 16;

/** One for all packets, as nothing waits in between: each buffer of its own costs as much as half of the hash. */
const kdfInput = Buffer.concat([Buffer.alloc(SECRET_LENGTH), KDF_COUNTER, Buffer.alloc(POINT_LENGTH)]);
const derived = Buffer.alloc(2 * KEY_LENGTH);
const keyAndIv = { key: derived.subarray(0, KEY_LENGTH), iv: derived.subarray(KEY_LENGTH) };

/** @returns what the next call overwrites */
function deriveKey(secret: Uint8Array, ephemeral: Uint8Array): typeof keyAndIv {
  kdfInput.set(secret);
  kdfInput.set(ephemeral, SECRET_LENGTH + KDF_COUNTER.length);
  // As text, because bytes would come in a buffer of their own.
  derived.write(hash('sha256', kdfInput, 'binary'), 'latin1');
  return keyAndIv;
}
