import { ObjectMissing } from '../errors.ts';
import type { Storage, StorageOptions } from '../ports/storage.ts';

/** All bytes of an object. @throws ObjectMissing if there is none */
export async function readObject(storage: Storage, key: string, options?: StorageOptions): Promise<Buffer> {
  const { body } = await storage.get(key, options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Whether there is an object under the key. */
export async function hasObject(storage: Storage, key: string, options?: StorageOptions): Promise<boolean> {
  try {
    const { body } = await storage.get(key, options);
    // Opened, not read: what holds the object open is let go of.
    await body[Symbol.asyncIterator]().return?.();
    return true;
  } catch (err) {
    if (err instanceof ObjectMissing) return false;
    throw err;
  }
}
