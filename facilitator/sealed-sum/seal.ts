import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import type { PacketDecryptor } from '../crypto/ecies.ts';
import { encodeBinding, type SumBinding } from './binding.ts';
import type { SealedSumContent } from './content.ts';
import { decodeContent, encodeContent, FORMAT_VERSION } from './encoding.ts';

/**
 * Sealed sums: AES-256-GCM under keys that HKDF derives from a packet decryption key for one binding, with a nonce that
 * HMAC makes of the plaintext. File: `dsp-sum` ‖ version ‖ nonce (12) ‖ ciphertext ‖ tag (16).
 * Source: docs/protocol.md, "Sealed sum"; docs/design.md, "Sealed sums".
 */
const CIPHER = 'aes-256-gcm';
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

const MAGIC = Buffer.from('dsp-sum');
const HEAD_LENGTH = MAGIC.length + 1;
const INFO = `data-share-processor sealed sum, keys, version ${FORMAT_VERSION}`;

/** Why a sealed sum was not opened, as labels of a metric; the batch must then be summed from its packets. */
export const UNOPENED_REASONS = ['no_sealed_sum', 'other_version', 'no_key', 'malformed'] as const;
export type UnopenedReason = (typeof UNOPENED_REASONS)[number];

/** What came of opening. */
export type OpenedSum =
  | {
      readonly kind: 'opened';
      readonly content: SealedSumContent;
      /** Of the key that opened it, among those given. */
      readonly keyIndex: number;
    }
  | {
      readonly kind: 'unopened';
      /**
       * `no_sealed_sum`: the bytes do not look like one. `other_version`: of a format that is not ours. `no_key`: changed,
       * of another batch or of another packet file, or sealed with a key that is gone. `malformed`: sealed by us, but
       * not as this program does it.
       */
      readonly reason: UnopenedReason;
      /** For people. */
      readonly why: string;
    };

/**
 * Seals a sum for our own later use. The same arguments give the same bytes.
 * @param key the first packet decryption key
 * @throws RangeError for a content or binding that is none, which is a bug of the caller's
 */
export function sealSum(content: SealedSumContent, binding: SumBinding, key: PacketDecryptor): Buffer {
  const plain = encodeContent(content);
  const bound = encodeBinding(binding);
  const { cipherKey, nonceKey } = keysFor(bound, key);
  const nonce = createHmac('sha256', nonceKey).update(plain).digest().subarray(0, NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, cipherKey, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(bound);
  const sealed = cipher.update(plain);
  cipher.final();
  return Buffer.concat([MAGIC, Uint8Array.of(FORMAT_VERSION), nonce, sealed, cipher.getAuthTag()]);
}

/**
 * Opens what `sealSum` gave, with the first of the keys that does. It never throws for what is in `bytes`.
 * @param keys the packet decryption keys, in their order
 * @throws RangeError for a binding that is none
 */
export function openSealedSum(bytes: Uint8Array, binding: SumBinding, keys: readonly PacketDecryptor[]): OpenedSum {
  if (bytes.length < HEAD_LENGTH || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    return unopened('no_sealed_sum', 'it does not begin like a sealed sum');
  }
  const version = bytes[MAGIC.length];
  if (version !== FORMAT_VERSION) return unopened('other_version', `it is of version ${version}`);
  if (bytes.length < HEAD_LENGTH + NONCE_LENGTH + TAG_LENGTH) {
    return unopened('no_sealed_sum', `it ends after ${bytes.length} bytes`);
  }
  const bound = encodeBinding(binding);
  for (const [keyIndex, key] of keys.entries()) {
    const plain = decrypt(bytes.subarray(HEAD_LENGTH), bound, key);
    if (!plain) continue;
    const decoded = decodeContent(plain);
    // Authentic, so no other key would make more of it.
    if (decoded.kind === 'malformed') return unopened('malformed', decoded.why);
    return { kind: 'opened', content: decoded.content, keyIndex };
  }
  return unopened('no_key', `it opens under none of ${keys.length} packet decryption keys`);
}

const unopened = (reason: UnopenedReason, why: string): OpenedSum => ({ kind: 'unopened', reason, why });

/**
 * Two keys of one binding alone. A nonce that came again under another binding would give the key of the tags away: the
 * plaintext decides the nonce, so one key for all bindings would need no more than two batches with the same content.
 */
function keysFor(bound: Buffer, key: PacketDecryptor): { cipherKey: Buffer; nonceKey: Buffer } {
  // The digest stands for the binding because `info` has a limit that a long name of an aggregation might exceed.
  const info = Buffer.concat([Buffer.from(INFO), createHash('sha256').update(bound).digest()]);
  const secret = key.deriveSecret(info, 2 * KEY_LENGTH);
  return { cipherKey: secret.subarray(0, KEY_LENGTH), nonceKey: secret.subarray(KEY_LENGTH) };
}

/** @param sealed nonce ‖ ciphertext ‖ tag, at least as long as nonce and tag */
function decrypt(sealed: Uint8Array, bound: Buffer, key: PacketDecryptor): Buffer | undefined {
  const { cipherKey } = keysFor(bound, key);
  const tagAt = sealed.length - TAG_LENGTH;
  const decipher = createDecipheriv(CIPHER, cipherKey, sealed.subarray(0, NONCE_LENGTH), { authTagLength: TAG_LENGTH });
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(NONCE_LENGTH, tagAt));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}
