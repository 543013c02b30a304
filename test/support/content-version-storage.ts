import { createHash } from 'node:crypto';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { ObjectBody, ObjectVersion, StorageOptions, StoredObject } from '../../common/ports/storage.ts';
import { collectBody } from '../../common/backends/storage/bytes.ts';

/** Objects in memory with versions as Amazon S3 has them: equal for equal bytes, so that what comes back looks unchanged. */
export class ContentVersionStorage extends MemoryStorage {
  readonly #contents = new Map<ObjectVersion, ObjectVersion>();

  override async get(key: string, options?: StorageOptions): Promise<StoredObject> {
    const object = await super.get(key, options);
    return { ...object, version: this.#contents.get(object.version)! };
  }

  override async put(key: string, body: ObjectBody, options?: StorageOptions): Promise<ObjectVersion> {
    const bytes = await collectBody(body, options?.signal);
    return this.#noted(bytes, await super.put(key, bytes, options))!;
  }

  override async createIfAbsent(
    key: string,
    body: ObjectBody,
    options?: StorageOptions,
  ): Promise<ObjectVersion | undefined> {
    const bytes = await collectBody(body, options?.signal);
    return this.#noted(bytes, await super.createIfAbsent(key, bytes, options));
  }

  override async replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    options?: StorageOptions,
  ): Promise<ObjectVersion | undefined> {
    const bytes = await collectBody(body, options?.signal);
    const there = await super.get(key, options);
    if (this.#contents.get(there.version) !== version) return undefined;
    return this.#noted(bytes, await super.replaceIfUnchanged(key, there.version, bytes, options));
  }

  #noted(bytes: Uint8Array, version: ObjectVersion | undefined): ObjectVersion | undefined {
    if (version === undefined) return undefined;
    const content = createHash('md5').update(bytes).digest('hex');
    this.#contents.set(version, content);
    return content;
  }
}
