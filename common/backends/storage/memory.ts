import { checkObjectKey } from '../../domain/object-key.ts';
import { ObjectMissing } from '../../errors.ts';
import type {
  ListOptions,
  ObjectBody,
  ObjectVersion,
  Storage,
  StorageOptions,
  StoredObject,
} from '../../ports/storage.ts';
import { collectBody, copiesOf } from './bytes.ts';
import { folderByJumps } from './folder.ts';

interface Entry {
  readonly version: ObjectVersion;
  readonly bytes: Buffer;
}

/** Objects in this process's memory, for tests and trials; they die with it. */
export class MemoryStorage implements Storage {
  readonly url: string;
  readonly #entries = new Map<string, Entry>();
  #writes = 0;

  constructor(name: string) {
    this.url = `memory://${name}`;
  }

  async check(_access: 'read' | 'write', signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
  }

  async *list({ prefix = '', startAt = '', endBefore, signal }: ListOptions = {}): AsyncGenerator<
    string,
    void,
    undefined
  > {
    signal?.throwIfAborted();
    const keys = [...this.#entries.keys()].filter(
      (key) => key.startsWith(prefix) && key >= startAt && (endBefore === undefined || key < endBefore),
    );
    for (const key of keys.sort()) {
      signal?.throwIfAborted();
      yield key;
    }
  }

  listFolder({ prefix = '', signal }: Pick<ListOptions, 'prefix' | 'signal'> = {}): AsyncIterable<string> {
    return folderByJumps(prefix, (startAt) => this.list({ prefix, startAt, signal }));
  }

  async get(key: string, { signal }: StorageOptions = {}): Promise<StoredObject> {
    checkObjectKey(key);
    signal?.throwIfAborted();
    const entry = this.#entries.get(key);
    if (!entry) throw new ObjectMissing(`no object '${key}' in ${this.url}`);
    return { version: entry.version, size: entry.bytes.length, body: copiesOf(entry.bytes, signal) };
  }

  async put(key: string, body: ObjectBody, { signal }: StorageOptions = {}): Promise<ObjectVersion> {
    checkObjectKey(key);
    return this.#store(key, await collectBody(body, signal));
  }

  async createIfAbsent(
    key: string,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    checkObjectKey(key);
    const bytes = await collectBody(body, signal);
    return this.#entries.has(key) ? undefined : this.#store(key, bytes);
  }

  async replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    checkObjectKey(key);
    const bytes = await collectBody(body, signal);
    return this.#entries.get(key)?.version === version ? this.#store(key, bytes) : undefined;
  }

  async delete(key: string, { signal }: StorageOptions = {}): Promise<void> {
    checkObjectKey(key);
    signal?.throwIfAborted();
    this.#entries.delete(key);
  }

  /** Synchronous, so that nothing can come between a check and the change that rests on it. */
  #store(key: string, bytes: Buffer): ObjectVersion {
    const version = String(++this.#writes);
    this.#entries.set(key, { version, bytes });
    return version;
  }
}
