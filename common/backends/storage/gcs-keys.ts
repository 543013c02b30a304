import { objectKeyFault } from '../../domain/object-key.ts';
import { StorageUnavailable } from '../../errors.ts';
import type { GcsBucket } from './gcs-bucket.ts';

export interface GcsListing {
  /** Relative to the location, as all keys. */
  readonly prefix: string;
  readonly startAt?: string;
  readonly endBefore?: string | undefined;
  /** Whether keys that have another slash behind the prefix are shown as one folder each. */
  readonly folders: boolean;
  readonly onPage: () => void;
  readonly signal: AbortSignal | undefined;
}

/** Of https://cloud.google.com/storage/docs/json_api/v1/objects/list, what we ask for. */
interface Page {
  readonly items?: readonly { readonly name: string }[];
  readonly prefixes?: readonly string[];
  readonly nextPageToken?: string;
}

/**
 * Keys and folders (`a/b/`) in ascending ASCII order. A page is asked for when the consumer has taken all of the last.
 * What other programs have put into the bucket under names that are no keys, like the `folder/` of Google's console,
 * is passed over, as nobody could get it.
 */
export async function* gcsKeys(bucket: GcsBucket, listing: GcsListing): AsyncGenerator<string, void, undefined> {
  const { startAt = '', endBefore, onPage, signal } = listing;
  // Google has no name for an empty interval.
  if (endBefore !== undefined && endBefore <= startAt) return;
  const action = bucket.action('list');
  let last: string | undefined;
  let token: string | undefined;
  do {
    signal?.throwIfAborted();
    onPage();
    const path = `${bucket.path}/o?${query(bucket, listing, token).toString()}`;
    const { data } = await bucket.send<Page | string | null>(action, { method: 'GET', path, answer: 'json' }, signal);
    if (typeof data !== 'object' || data === null) {
      throw new StorageUnavailable(`cannot list ${bucket.location.url}: what answered is not Google Cloud Storage`);
    }
    for (const key of keysOf(data, bucket.location.prefix.length)) {
      // A folder that goes on behind a page might be told twice.
      if (key === last) continue;
      last = key;
      signal?.throwIfAborted();
      yield key;
    }
    // A page may be empty, or have nothing for us, and yet not be the last.
    token = data.nextPageToken;
  } while (token !== undefined && token !== '');
}

function query(
  bucket: GcsBucket,
  { prefix, startAt = '', endBefore, folders }: GcsListing,
  token: string | undefined,
): URLSearchParams {
  const base = bucket.location.prefix;
  // Pages are of 1000 names unless fewer are asked for. https://cloud.google.com/storage/docs/json_api/v1/objects/list
  const parameters = new URLSearchParams({
    fields: folders ? 'items(name),prefixes,nextPageToken' : 'items(name),nextPageToken',
  });
  if (base + prefix !== '') parameters.set('prefix', base + prefix);
  if (startAt !== '') parameters.set('startOffset', base + startAt);
  if (endBefore !== undefined) parameters.set('endOffset', base + endBefore);
  if (folders) parameters.set('delimiter', '/');
  if (token !== undefined) parameters.set('pageToken', token);
  return parameters;
}

/** Items and folders come apart, each in order. */
function keysOf({ items = [], prefixes = [] }: Page, baseLength: number): string[] {
  const keys = items.map(({ name }) => name.slice(baseLength)).filter((key) => objectKeyFault(key) === undefined);
  if (prefixes.length === 0) return keys;
  const folders = prefixes.map((name) => name.slice(baseLength));
  return [...keys, ...folders.filter((folder) => objectKeyFault(folder.slice(0, -1)) === undefined)].sort();
}
