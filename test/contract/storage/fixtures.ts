import { ObjectMissing } from '../../../common/errors.ts';
import type { Storage } from '../../../common/ports/storage.ts';
import { readObject } from '../../../common/runtime/read-object.ts';

/** In what storages may differ. */
export interface StorageTraits {
  /** Whether each write gives another version; otherwise, each other content does. */
  readonly versionsDistinguishEqualContent: boolean;
  /** How many keys the largest listing has: more than a page, and no more than the service makes in a few seconds. */
  readonly manyKeys: number;
}

export const OLD = Buffer.from('old');
export const NEW = Buffer.from('new');
export const MEBIBYTE = 1024 * 1024;

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const chunk of body) read.push(chunk);
  return Buffer.concat(read);
}

export async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** One chunk, then `then` happens, and no other chunk ever comes. */
export async function* stalling(then: () => void): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  then();
  await new Promise<never>(() => {});
}

export async function* failing(err: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw err;
}

export async function keysOf(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}

export async function putAll(storage: Storage, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += 50) {
    await Promise.all(keys.slice(i, i + 50).map((key) => storage.put(key, OLD)));
  }
}

/** What is under `k`, or `undefined`. */
export async function content(storage: Storage): Promise<string | undefined> {
  try {
    return (await readObject(storage, 'k')).toString();
  } catch (err) {
    if (err instanceof ObjectMissing) return undefined;
    throw err;
  }
}
