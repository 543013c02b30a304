import type { BatchKeys } from '../../common/domain/batch-path.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { encodeBatch, encodeSignature, type BatchContent } from './encode-batch.ts';

/** Signs a batch and stores it in three objects. Readers go by the signature, so it comes last. */
export async function writeBatch<H, P>(
  storage: Storage,
  keys: BatchKeys,
  content: BatchContent<H, P>,
  signingKey: SigningKey,
  signal?: AbortSignal,
): Promise<void> {
  const encoded = encodeBatch(keys, content, signingKey);
  await storage.put(keys.packets, encoded.packetFile, { signal });
  await storage.put(keys.header, encoded.headerFile, { signal });
  await storage.put(keys.signature, encodeSignature(keys, encoded, signingKey.identifier), { signal });
}
