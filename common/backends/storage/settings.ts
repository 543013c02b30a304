/** A request to an object store, whatever it is for: each page of a listing counts. */
export type StorageRequest = 'list' | 'get' | 'put' | 'delete';

/** What a storage needs to know besides its location. */
export interface StorageSettings {
  /**
   * Whom to act as, instead of the ambient identity: for `s3` the ARN of a role to assume, for `gs` the e-mail address
   * of a service account to impersonate. Storages of this machine have none.
   */
  readonly identity?: string | undefined;
  /** Told of each request, repetitions by the client library not counted. */
  readonly onRequest?: ((request: StorageRequest) => void) | undefined;
}
