/**
 * Identifies one state of one object; opaque, compared only by the storage that gave it out.
 *
 * Different contents have different versions. Equal ones may share theirs: a storage may take an object that was
 * replaced by the same bytes, or deleted and created with them, for unchanged. Whoever compares states must therefore
 * put all that tells them apart into the bytes.
 */
export type ObjectVersion = string;

/** An object as it was at one moment: body and version belong together. */
export interface StoredObject {
  readonly version: ObjectVersion;
  /** Bytes. */
  readonly size: number;
  /** The content in chunks, to be read once, in order. Failing half-way, it throws `StorageUnavailable`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What to store: all at once, or in chunks of any size. */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface ListOptions {
  /** Only keys that begin with it. Default: all. */
  readonly prefix?: string;
  /** Only keys at or after it, compared as ASCII. Default: from the first. */
  readonly startAt?: string;
  /** Only keys before it. Default: to the last. */
  readonly endBefore?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StorageOptions {
  /** Aborts the operation: it rejects with the signal's reason and leaves no part of an object behind. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Objects by ASCII key (`a/b/c`, no empty, `.` or `..` segment). Every implementation passes
 * `test/contract/storage.contract.ts`.
 *
 * All methods throw `PermissionDenied`, `StorageUnavailable`, and `ObjectKeyInvalid` for keys outside the form.
 * An object appears whole or not at all: a concurrent reader sees the old bytes or the new, never a part, also
 * when the writer dies.
 */
export interface Storage {
  /** For logs and errors, never with credentials: `file:///dir`, `memory://name`. */
  readonly url: string;

  /**
   * Whether the storage can be used at all, as far as that shows without changing anything; for the time before any
   * work.
   * @throws ConfigurationInvalid if there is no such storage, PermissionDenied if we may not `access` it
   */
  check(access: 'read' | 'write', signal?: AbortSignal): Promise<void>;

  /** Keys in ascending ASCII order, read as the consumer goes on. */
  list(options?: ListOptions): AsyncIterable<string>;

  /**
   * What is right behind `prefix` (default: empty): keys without another slash, and of all others the folder,
   * `prefix…/`, once. In ascending ASCII order, read as the consumer goes on.
   */
  listFolder(options?: Pick<ListOptions, 'prefix' | 'signal'>): AsyncIterable<string>;

  /** @throws ObjectMissing if there is none */
  get(key: string, options?: StorageOptions): Promise<StoredObject>;

  /** Creates or replaces. */
  put(key: string, body: ObjectBody, options?: StorageOptions): Promise<ObjectVersion>;

  /** Creates; of several callers exactly one gets a version, the others `undefined`, and nothing is replaced. */
  createIfAbsent(key: string, body: ObjectBody, options?: StorageOptions): Promise<ObjectVersion | undefined>;

  /**
   * Replaces the object if it still is at `version`; of several callers with the same version exactly one gets a
   * new version, the others `undefined`. An object that is gone counts as changed; one that holds the bytes of
   * `version` again may count as unchanged. If a caller's new bytes are the old ones, several may get the version.
   */
  replaceIfUnchanged(
    key: string,
    version: ObjectVersion,
    body: ObjectBody,
    options?: StorageOptions,
  ): Promise<ObjectVersion | undefined>;

  /** Deletes; no object is fine. */
  delete(key: string, options?: StorageOptions): Promise<void>;
}
