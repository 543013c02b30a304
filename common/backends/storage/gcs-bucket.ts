import { checkObjectKey, MAX_KEY_BYTES } from '../../domain/object-key.ts';
import { ObjectKeyInvalid } from '../../errors.ts';
import type { GcsClient, GcsRequest, GcsResponse } from './gcs-client.ts';
import { gcsFailure, type GcsAction } from './gcs-errors.ts';
import type { GcsLocation } from './gcs-location.ts';

/** A place in a bucket, and the way to send requests there. */
export class GcsBucket {
  readonly location: GcsLocation;
  readonly #client: () => Promise<GcsClient>;

  constructor(location: GcsLocation, client: () => Promise<GcsClient>) {
    this.location = location;
    this.#client = client;
  }

  action(operation: GcsAction['operation'], key?: string): GcsAction {
    const { url, bucket } = this.location;
    return { operation, url, bucket, ...(key === undefined ? {} : { key }) };
  }

  /** The name in the bucket, for a query or a path. @throws ObjectKeyInvalid */
  objectName(key: string): string {
    checkObjectKey(key);
    const name = this.location.prefix + key;
    if (name.length > MAX_KEY_BYTES) {
      throw new ObjectKeyInvalid(
        `'${key.slice(0, 80)}…' is too long for ${this.location.url}: with the prefix it has ${name.length} bytes, and ${MAX_KEY_BYTES} are allowed`,
      );
    }
    return name;
  }

  /** The resource of the object: https://cloud.google.com/storage/docs/json_api/v1/objects */
  objectPath(key: string): string {
    return `${this.path}/o/${encodeURIComponent(this.objectName(key))}`;
  }

  get path(): string {
    return `/storage/v1/b/${this.location.bucket}`;
  }

  async open(action: GcsAction): Promise<GcsClient> {
    try {
      return await this.#client();
    } catch (err) {
      throw gcsFailure(action, err);
    }
  }

  /** As `GcsClient.send`, with our names for failures. */
  async send<T>(action: GcsAction, request: GcsRequest, signal: AbortSignal | undefined): Promise<GcsResponse<T>> {
    const client = await this.open(action);
    try {
      return await client.send<T>(request, signal);
    } catch (err) {
      signal?.throwIfAborted();
      throw gcsFailure(action, err);
    }
  }
}
