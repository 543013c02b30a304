import pRetry, { AbortError } from 'p-retry';
import { ObjectMissing, StorageUnavailable } from '../errors.ts';
import type { ObjectVersion, Storage, StorageOptions, StoredObject } from '../ports/storage.ts';

/** An object as it was at one moment. */
export interface ReadObject {
  readonly version: ObjectVersion;
  readonly bytes: Buffer;
}

/** For a body that breaks off: storages repeat requests themselves, but what has begun to flow they cannot. */
export const BODY_RETRIES = { retries: 2, minTimeout: 100 } as const;

/**
 * An object and its version. One whose body breaks off is read again, from the start.
 * @throws ObjectMissing if there is none
 */
export function readWhole(storage: Storage, key: string, options: StorageOptions = {}): Promise<ReadObject> {
  const read = async (): Promise<ReadObject> => {
    const { version, body } = await openObject(storage, key, options);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return { version, bytes: Buffer.concat(chunks) };
  };
  const shouldRetry = ({ error }: { readonly error: Error }): boolean => error instanceof StorageUnavailable;
  return pRetry(read, { ...BODY_RETRIES, shouldRetry, signal: options.signal });
}

/** All bytes of an object, as `readWhole`. */
export async function readObject(storage: Storage, key: string, options?: StorageOptions): Promise<Buffer> {
  return (await readWhole(storage, key, options)).bytes;
}

/** As `readWhole`. @returns `undefined` if there is no object */
export async function readIfThere(
  storage: Storage,
  key: string,
  options?: StorageOptions,
): Promise<ReadObject | undefined> {
  try {
    return await readWhole(storage, key, options);
  } catch (err) {
    if (err instanceof ObjectMissing) return undefined;
    throw err;
  }
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

/**
 * Opens an object within `pRetry`; what fails here the storage has repeated already.
 * @throws AbortError of p-retry, around what the storage throws
 */
export async function openObject(storage: Storage, key: string, options: StorageOptions): Promise<StoredObject> {
  try {
    return await storage.get(key, options);
  } catch (err) {
    throw err instanceof Error ? new AbortError(err) : err;
  }
}
