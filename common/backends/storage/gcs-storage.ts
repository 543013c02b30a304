import type { Readable } from 'node:stream';
import { StorageUnavailable } from '../../errors.ts';
import type {
  ListOptions,
  ObjectBody,
  ObjectVersion,
  Storage,
  StorageOptions,
  StoredObject,
} from '../../ports/storage.ts';
import { GcsBody } from './gcs-body.ts';
import type { GcsBucket } from './gcs-bucket.ts';
import { checkGcsBucket } from './gcs-check.ts';
import { missingBucket, tellsBucketMissing } from './gcs-errors.ts';
import { gcsKeys } from './gcs-keys.ts';
import { gcsUpload } from './gcs-upload.ts';
import type { StorageSettings } from './settings.ts';

const ANY_GENERATION = undefined;
const NO_GENERATION = '0';

/**
 * Objects in Google Cloud Storage under `<prefix>/<key>`; their generations are the versions.
 *
 * Requests that fail for passing reasons are repeated for about a minute in all. A repeated `put` stores the same bytes
 * again, so it needs no condition, which would cost a request. A repeated conditional write whose first attempt came
 * through, but whose answer was lost, is refused by its own success and returns `undefined`: callers to whom that
 * matters look at the object. As for how bodies are read, see `GcsBody`; objects that are stored compressed
 * (`Content-Encoding: gzip`) come decompressed, while `size` is as stored.
 */
export class GcsStorage implements Storage {
  readonly url: string;
  readonly #bucket: GcsBucket;
  readonly #onRequest: NonNullable<StorageSettings['onRequest']>;

  constructor(bucket: GcsBucket, onRequest: NonNullable<StorageSettings['onRequest']>) {
    this.url = bucket.location.url;
    this.#bucket = bucket;
    this.#onRequest = onRequest;
  }

  async check(access: 'read' | 'write', signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await checkGcsBucket(this.#bucket, access, signal);
  }

  list({ prefix = '', startAt = '', endBefore, signal }: ListOptions = {}): AsyncIterable<string> {
    return gcsKeys(this.#bucket, { prefix, startAt, endBefore, folders: false, onPage: this.#onPage, signal });
  }

  listFolder({ prefix = '', signal }: Pick<ListOptions, 'prefix' | 'signal'> = {}): AsyncIterable<string> {
    return gcsKeys(this.#bucket, { prefix, folders: true, onPage: this.#onPage, signal });
  }

  async get(key: string, { signal }: StorageOptions = {}): Promise<StoredObject> {
    const path = `${this.#bucket.objectPath(key)}?alt=media`;
    signal?.throwIfAborted();
    this.#onRequest('get');
    const action = this.#bucket.action('get', key);
    const request = { method: 'GET', path, answer: 'stream' } as const;
    const response = await this.#bucket.send<Readable>(action, request, signal);
    const { headers, data: stream, cancel, idleTimeoutMs } = response;
    const version = headers['x-goog-generation'];
    const storedBytes = headers['x-goog-stored-content-length'] ?? headers['content-length'];
    if (version === undefined || storedBytes === undefined) {
      cancel();
      throw new StorageUnavailable(`cannot get '${key}' in ${this.url}: what answered is not Google Cloud Storage`);
    }
    // What Google decompresses for us has another length and digest than those it tells.
    const isAsStored = headers['x-goog-stored-content-encoding'] !== 'gzip' || headers['content-encoding'] === 'gzip';
    const length = isAsStored ? Number(storedBytes) : undefined;
    const md5 = isAsStored ? /\bmd5=([^,]+)/.exec(headers['x-goog-hash'] ?? '')?.[1] : undefined;
    return {
      version,
      size: Number(storedBytes),
      body: new GcsBody({ stream, cancel, length, md5 }, action, { idleTimeoutMs, signal }),
    };
  }

  async put(key: string, body: ObjectBody, options?: StorageOptions): Promise<ObjectVersion> {
    const version = await this.#upload('put', key, body, ANY_GENERATION, options);
    // Only conditions are refused.
    return version!;
  }

  createIfAbsent(key: string, body: ObjectBody, options?: StorageOptions): Promise<ObjectVersion | undefined> {
    return this.#upload('create', key, body, NO_GENERATION, options);
  }

  async replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    options: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    this.#bucket.objectName(key);
    options.signal?.throwIfAborted();
    // Google never gave it out, and would take '0' for "create".
    if (!/^[1-9]\d{0,18}$/.test(version)) return undefined;
    return this.#upload('replace', key, body, version, options);
  }

  async delete(key: string, { signal }: StorageOptions = {}): Promise<void> {
    const path = this.#bucket.objectPath(key);
    signal?.throwIfAborted();
    this.#onRequest('delete');
    const request = { method: 'DELETE', path, answer: 'json', expect: [404] } as const;
    const { status, data } = await this.#bucket.send(this.#bucket.action('delete', key), request, signal);
    if (status === 404 && tellsBucketMissing(JSON.stringify(data))) throw missingBucket(this.#bucket.location.bucket);
  }

  async #upload(
    operation: 'put' | 'create' | 'replace',
    key: string,
    body: ObjectBody,
    ifGeneration: string | undefined,
    { signal }: StorageOptions = {},
  ): Promise<ObjectVersion | undefined> {
    const name = this.#bucket.objectName(key);
    signal?.throwIfAborted();
    this.#onRequest('put');
    return gcsUpload(this.#bucket, { action: this.#bucket.action(operation, key), name, body, ifGeneration, signal });
  }

  readonly #onPage = (): void => this.#onRequest('list');
}
