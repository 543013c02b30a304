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

/**
 * `base` as it would be after the writes that were asked for, none of which is made: they stay in memory, where the
 * reads, listings and conditions of this storage see them. Each write that would change something prints a line like
 * `would create a/b in file:///dir (12 bytes)`, without line feed and without content.
 *
 * `check('write')` asks the base too: a dry run over a storage that cannot be written to fails as the real run would.
 */
export function dryRunStorage(base: Storage, print: (line: string) => void): Storage {
  return new DryRunStorage(base, print);
}

interface Written {
  readonly version: ObjectVersion;
  readonly bytes: Buffer;
}

class DryRunStorage implements Storage {
  readonly url: string;
  readonly #base: Storage;
  readonly #print: (line: string) => void;
  /** What was written last under a key, `undefined` if it was deleted. The base's object does not count any more. */
  readonly #changes = new Map<string, Written | undefined>();
  #writes = 0;

  constructor(base: Storage, print: (line: string) => void) {
    this.url = base.url;
    this.#base = base;
    this.#print = print;
  }

  check(access: 'read' | 'write', signal?: AbortSignal): Promise<void> {
    return this.#base.check(access, signal);
  }

  async *list(options: ListOptions = {}): AsyncGenerator<string, void, undefined> {
    const { prefix = '', startAt = '', endBefore, signal } = options;
    const written = [...this.#changes]
      .filter(([key, change]) => change && key.startsWith(prefix) && key >= startAt)
      .filter(([key]) => endBefore === undefined || key < endBefore)
      .map(([key]) => key)
      .sort();
    let next = 0;
    for await (const key of this.#base.list(options)) {
      for (; next < written.length && written[next]! <= key; next++) {
        // `next` is below `length`. A key of both is yielded as one of the base.
        if (written[next] !== key) yield written[next]!;
      }
      if (!this.#changes.has(key) || this.#changes.get(key)) yield key;
    }
    for (const key of written.slice(next)) {
      signal?.throwIfAborted();
      yield key;
    }
  }

  listFolder({ prefix = '', signal }: Pick<ListOptions, 'prefix' | 'signal'> = {}): AsyncIterable<string> {
    return folderByJumps(prefix, (startAt) => this.list({ prefix, startAt, signal }));
  }

  async get(key: string, options: StorageOptions = {}): Promise<StoredObject> {
    checkObjectKey(key);
    options.signal?.throwIfAborted();
    if (!this.#changes.has(key)) return this.#base.get(key, options);
    const written = this.#changes.get(key);
    if (!written) throw new ObjectMissing(`no object '${key}' in ${this.url}: this dry run would have deleted it`);
    return { version: written.version, size: written.bytes.length, body: copiesOf(written.bytes, options.signal) };
  }

  async put(key: string, body: ObjectBody, { signal }: StorageOptions = {}): Promise<ObjectVersion> {
    checkObjectKey(key);
    const bytes = await collectBody(body, signal);
    const inBase = await this.#versionInBase(key, signal);
    return this.#write(this.#version(key, inBase) === undefined ? 'create' : 'replace', key, bytes);
  }

  async createIfAbsent(
    key: string,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    checkObjectKey(key);
    const bytes = await collectBody(body, signal);
    const inBase = await this.#versionInBase(key, signal);
    return this.#version(key, inBase) === undefined ? this.#write('create', key, bytes) : undefined;
  }

  async replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    checkObjectKey(key);
    const bytes = await collectBody(body, signal);
    const inBase = await this.#versionInBase(key, signal);
    return this.#version(key, inBase) === version ? this.#write('replace', key, bytes) : undefined;
  }

  async delete(key: string, { signal }: StorageOptions = {}): Promise<void> {
    checkObjectKey(key);
    signal?.throwIfAborted();
    const inBase = await this.#versionInBase(key, signal);
    if (this.#version(key, inBase) === undefined) return;
    this.#changes.set(key, undefined);
    this.#print(`would delete ${key} in ${this.url}`);
  }

  /** `undefined` if there is no object, or if the base's no longer counts. */
  async #versionInBase(key: string, signal: AbortSignal | undefined): Promise<ObjectVersion | undefined> {
    if (this.#changes.has(key)) return undefined;
    try {
      const { version, body } = await this.#base.get(key, { signal });
      // Nobody reads the body, which may hold a file or a connection open.
      await body[Symbol.asyncIterator]().return?.();
      return version;
    } catch (err) {
      if (err instanceof ObjectMissing) return undefined;
      throw err;
    }
  }

  /**
   * The version now, given the one `inBase`. Synchronous, as is `#write`, so that of several callers who waited for
   * the base at the same time, the later ones see what the first one wrote.
   */
  #version(key: string, inBase: ObjectVersion | undefined): ObjectVersion | undefined {
    return this.#changes.has(key) ? this.#changes.get(key)?.version : inBase;
  }

  #write(what: 'create' | 'replace', key: string, bytes: Buffer): ObjectVersion {
    // No backend gives out versions like these, so that those of the base are stale once the object is replaced.
    const version = `dry-run-${++this.#writes}`;
    this.#changes.set(key, { version, bytes });
    this.#print(`would ${what} ${key} in ${this.url} (${bytes.length} bytes)`);
    return version;
  }
}
