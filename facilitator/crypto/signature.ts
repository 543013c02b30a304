import { sign, verify, type KeyObject } from 'node:crypto';

/** The key that signs our batches, and the name under which others look its public half up. */
export interface SigningKey {
  readonly identifier: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Public keys of one party by identifier. */
export type VerificationKeys = ReadonlyMap<string, KeyObject>;

/**
 * ECDSA over P-256 with SHA-256, DER-encoded. Its value is the one thing that differs when a batch is written again:
 * node:crypto draws a nonce for each signature. Source: docs/protocol.md, "Signature and digest".
 */
export function signHeader(headerFile: Uint8Array, key: SigningKey): Buffer {
  return sign('sha256', headerFile, key.privateKey);
}

/** Whether `signature` is one of the whole header file; false also for bytes that are no signature at all. */
export function isSignedBy(headerFile: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return verify('sha256', headerFile, key, signature);
}
