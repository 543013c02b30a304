import { rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkObjectKey, RESERVED_SEGMENT } from '../../domain/object-key.ts';
import { ObjectMissing } from '../../errors.ts';
import type {
  ListOptions,
  ObjectBody,
  ObjectVersion,
  Storage,
  StorageOptions,
  StoredObject,
} from '../../ports/storage.ts';
import { checkDirectory } from '../files/check-directory.ts';
import { withParents } from '../files/parents.ts';
import { chunksOf } from './chunks.ts';
import { fileBody } from './file-body.ts';
import { FileChain, linkNew } from './file-chain.ts';
import { named, type FileAction } from './file-errors.ts';
import { fileKeys } from './file-keys.ts';
import { stampAt } from './file-state.ts';
import { TempFiles, type TempFile } from './file-temp.ts';
import { folderByJumps } from './folder.ts';

/**
 * Objects as plain files: `a/b/c` is `<root>/a/b/c`, which other programs may read, but not write. Any number of
 * processes may share the directory, and die at any moment. It must be on one file system that has hard links.
 *
 * What is written goes to a file under `<root>/.dsp/tmp`, is flushed, and gets its name when it is whole.
 * `FileChain` tells how `replaceIfUnchanged` works, and its limits.
 *
 * Unlike other storages it cannot hold both `a` and `a/b`: writing the second fails with `StorageUnavailable`. The
 * body of an object above 1 MiB keeps a file open until it is read or its iterator returned.
 */
export class FileStorage implements Storage {
  readonly url: string;
  readonly #root: string;
  readonly #temp: TempFiles;
  readonly #chain: FileChain;

  /** @param root made when first written to; until then the storage is empty */
  constructor(root: string) {
    this.#root = resolve(root);
    this.url = pathToFileURL(this.#root).href;
    this.#temp = new TempFiles(join(this.#root, RESERVED_SEGMENT, 'tmp'));
    this.#chain = new FileChain(join(this.#root, RESERVED_SEGMENT, 'next'));
  }

  async check(access: 'read' | 'write', signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await named({ operation: access, url: this.url }, () => checkDirectory(this.#root, this.url, access));
  }

  list(options: ListOptions = {}): AsyncIterable<string> {
    return fileKeys(this.#root, this.url, options);
  }

  listFolder({ prefix = '', signal }: Pick<ListOptions, 'prefix' | 'signal'> = {}): AsyncIterable<string> {
    return folderByJumps(prefix, (startAt) => this.list({ prefix, startAt, signal }));
  }

  async get(key: string, { signal }: StorageOptions = {}): Promise<StoredObject> {
    const { path, action } = this.#begin('get', key, signal);
    const file = await named(action, () => this.#chain.open(key, path));
    if (!file) throw new ObjectMissing(`no object '${key}' in ${this.url}`);
    return { version: file.version, size: file.size, body: await fileBody(file, action, signal) };
  }

  async put(key: string, body: ObjectBody, { signal }: StorageOptions = {}): Promise<ObjectVersion> {
    const { path, action } = this.#begin('put', key, signal);
    return this.#written(action, body, signal, async (temp) => {
      for (;;) {
        const newest = await this.#chain.stamp(key, path);
        if (!newest || !(await this.#chain.has(key))) {
          const { version } = await temp.stamp(newest?.mtimeNs);
          await withParents(path, () => rename(temp.path, path));
          return version;
        }
        // A replacement that is still to reach the plain file would undo a mere renaming.
        const version = await this.#chain.replace(key, path, newest.version, temp);
        if (version !== undefined) return version;
      }
    });
  }

  async createIfAbsent(
    key: string,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    const { path, action } = this.#begin('create', key, signal);
    if (await named(action, () => stampAt(path))) return undefined;
    return this.#written(action, body, signal, async (temp) => {
      const { version } = await temp.stamp();
      return (await linkNew(temp.path, path)) ? version : undefined;
    });
  }

  async replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    const { path, action } = this.#begin('replace', key, signal);
    // Saves writing a file that has lost already.
    if ((await named(action, () => this.#chain.stamp(key, path)))?.version !== version) return undefined;
    return this.#written(action, body, signal, (temp) => this.#chain.replace(key, path, version, temp));
  }

  async delete(key: string, { signal }: StorageOptions = {}): Promise<void> {
    const { path, action } = this.#begin('delete', key, signal);
    await named(action, () => this.#chain.delete(key, path));
  }

  #begin(operation: string, key: string, signal: AbortSignal | undefined): { path: string; action: FileAction } {
    checkObjectKey(key);
    signal?.throwIfAborted();
    return { path: join(this.#root, key), action: { operation, key, url: this.url } };
  }

  /** Writes the whole body to a temporary file, flushes it and has `publish` give it its name. */
  async #written<T>(
    action: FileAction,
    body: ObjectBody,
    signal: AbortSignal | undefined,
    publish: (temp: TempFile) => Promise<T>,
  ): Promise<T> {
    const temp = await named(action, () => this.#temp.create());
    try {
      // The body's own errors are the caller's and keep their names.
      for await (const chunk of chunksOf(body, signal)) await named(action, () => temp.handle.writeFile(chunk));
      await named(action, () => temp.handle.datasync());
      signal?.throwIfAborted();
      return await named(action, () => publish(temp));
    } finally {
      await temp.discard();
    }
  }
}
