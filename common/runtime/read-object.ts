import type { Storage, StorageOptions } from '../ports/storage.ts';

/** All bytes of an object. @throws ObjectMissing if there is none */
export async function readObject(storage: Storage, key: string, options?: StorageOptions): Promise<Buffer> {
  const { body } = await storage.get(key, options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
