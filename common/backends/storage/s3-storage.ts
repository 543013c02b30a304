import { Readable } from 'node:stream';
import { checkObjectKey, MAX_KEY_BYTES } from '../../domain/object-key.ts';
import { ObjectKeyInvalid, StorageUnavailable } from '../../errors.ts';
import type {
  ListOptions,
  ObjectBody,
  ObjectVersion,
  Storage,
  StorageOptions,
  StoredObject,
} from '../../ports/storage.ts';
import { s3Body } from './s3-body.ts';
import { isForbidden, type S3Action, type S3Operation } from './s3-errors.ts';
import { listFolder, listKeys } from './s3-listing.ts';
import type { S3Location } from './s3-location.ts';
import { named, type S3Requests } from './s3-requests.ts';
import { writeObject, type S3Condition } from './s3-write.ts';

/** As S3 gives them out: `"…"`. */
const ETAG = /^"[\x21\x23-\x7e]+"$/;

/**
 * Objects of one bucket of Amazon S3, or of a service like it that has conditional writes.
 *
 * A version is S3's ETag, which tells contents apart and no more: see `ObjectVersion`. Whether a conditional write
 * came through is in doubt where its answer was lost: the repetition is refused by its own success, and the caller gets
 * `undefined`.
 */
export class S3Storage implements Storage {
  readonly url: string;
  readonly #location: S3Location;
  readonly #requests: S3Requests;

  constructor(location: S3Location, requests: S3Requests) {
    this.url = location.url;
    this.#location = location;
    this.#requests = requests;
  }

  /** Asks for the bucket, which takes `s3:ListBucket`, also for writing. Not counted as a request. */
  /** Whether we may write does not show: who may do nothing else is refused a look at the bucket, too. */
  async check(access: 'read' | 'write', signal?: AbortSignal): Promise<void> {
    const input = { Bucket: this.#location.bucket };
    try {
      await named({ operation: 'check', location: this.#location }, signal, () =>
        this.#requests.send(
          undefined,
          ({ sdk, client }, options) => client.send(new sdk.HeadBucketCommand(input), options),
          signal,
        ),
      );
    } catch (err) {
      if (access === 'read' || !isForbidden(err)) throw err;
    }
  }

  list(options: ListOptions = {}): AsyncIterable<string> {
    return listKeys(this.#requests, this.#location, options);
  }

  listFolder(options: Pick<ListOptions, 'prefix' | 'signal'> = {}): AsyncIterable<string> {
    return listFolder(this.#requests, this.#location, options);
  }

  async get(key: string, { signal }: StorageOptions = {}): Promise<StoredObject> {
    const { action, target } = this.#begin('get', key, signal);
    const answer = await named(action, signal, () =>
      this.#requests.send(
        'get',
        ({ sdk, client }, options) => client.send(new sdk.GetObjectCommand(target), options),
        signal,
      ),
    );
    const { ETag, ContentLength, Body } = answer;
    if (ETag === undefined || ContentLength === undefined || !(Body instanceof Readable)) {
      throw new StorageUnavailable(`cannot get '${key}' in ${this.url}: S3's answer has no ETag, size or body`);
    }
    return { version: ETag, size: ContentLength, body: await s3Body(Body, ContentLength, action, signal) };
  }

  async put(key: string, body: ObjectBody, { signal }: StorageOptions = {}): Promise<ObjectVersion> {
    const version = await this.#write('put', key, {}, body, signal);
    if (version === undefined) throw new StorageUnavailable(`S3 refuses '${key}' in ${this.url} for no reason`);
    return version;
  }

  createIfAbsent(key: string, body: ObjectBody, { signal }: StorageOptions = {}): Promise<ObjectVersion | undefined> {
    return this.#write('create', key, { IfNoneMatch: '*' }, body, signal);
  }

  async replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    this.#begin('replace', key, signal);
    // Sent as it is: another form would mean another condition.
    if (!ETAG.test(version)) return undefined;
    return this.#write('replace', key, { IfMatch: version }, body, signal);
  }

  async delete(key: string, { signal }: StorageOptions = {}): Promise<void> {
    const { action, target } = this.#begin('delete', key, signal);
    await named(action, signal, () =>
      this.#requests.send(
        'delete',
        ({ sdk, client }, options) => client.send(new sdk.DeleteObjectCommand(target), options),
        signal,
      ),
    );
  }

  async #write(
    operation: S3Operation,
    key: string,
    condition: S3Condition,
    body: ObjectBody,
    signal: AbortSignal | undefined,
  ): Promise<ObjectVersion | undefined> {
    const { action, target } = this.#begin(operation, key, signal);
    return writeObject(this.#requests, action, { ...target, ...condition }, body, signal);
  }

  #begin(
    operation: S3Operation,
    key: string,
    signal: AbortSignal | undefined,
  ): { action: S3Action; target: { Bucket: string; Key: string } } {
    checkObjectKey(key);
    const Key = this.#location.root + key;
    if (Key.length > MAX_KEY_BYTES) {
      throw new ObjectKeyInvalid(`a key of ${key.length} bytes is too long for ${this.url}, whose prefix counts, too`);
    }
    signal?.throwIfAborted();
    return { action: { operation, key, location: this.#location }, target: { Bucket: this.#location.bucket, Key } };
  }
}
