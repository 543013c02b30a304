import type { Credentials } from '../credentials/settings.ts';

/** A request to an object store, whatever it is for: each page of a listing counts. */
export type StorageRequest = 'list' | 'get' | 'put' | 'delete';

/** What a storage needs to know besides its location; storages of this machine need no credentials. */
export interface StorageSettings extends Credentials {
  /** Told of each request, repetitions by the client library not counted. */
  readonly onRequest?: ((request: StorageRequest) => void) | undefined;
}
