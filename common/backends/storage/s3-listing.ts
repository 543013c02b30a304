import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { MAX_KEY_BYTES, objectKeyFault } from '../../domain/object-key.ts';
import { StorageUnavailable } from '../../errors.ts';
import type { ListOptions } from '../../ports/storage.ts';
import type { S3Location } from './s3-location.ts';
import { named, type S3Requests } from './s3-requests.ts';

/** The character right behind those that keys have. */
const BEHIND = '\x7f';
const MAX_KEYS = 1000;

/**
 * What S3 must list after so that exactly the keys at or after `startAt` come, as it knows no other way: the greatest
 * string below `startAt` that is no key. It holds for keys of printable ASCII; others may come too many.
 * @returns `undefined` for all keys
 */
export function startAfter(startAt: string): string | undefined {
  const odd = startAt.search(/[^\x20-\x7e]/);
  const at = odd < 0 ? startAt.length - 1 : odd;
  const head = startAt.slice(0, Math.max(at, 0));
  const code = startAt.charCodeAt(at);
  if (odd >= 0 && code > 0x7e) return head + BEHIND;
  // A blank is the least character of keys: behind `head`, what goes on with one comes next.
  if (odd >= 0 || startAt === '' || code === 0x20) return head === '' ? undefined : head;
  return head + String.fromCharCode(code - 1) + BEHIND;
}

/** `Storage.list`. Objects whose names are no keys are passed over. */
export async function* listKeys(
  requests: S3Requests,
  location: S3Location,
  { prefix = '', startAt = '', endBefore, signal }: ListOptions,
): AsyncGenerator<string, void, undefined> {
  signal?.throwIfAborted();
  const isBehind = startAt > prefix && !startAt.startsWith(prefix);
  if (isBehind || !canBeginKey(prefix)) return;
  const after = startAt > prefix ? startAfter(startAt) : undefined;
  const query = {
    Prefix: location.root + prefix,
    ...(after === undefined ? {} : { StartAfter: location.root + after }),
  };
  for await (const page of pages(requests, location, query, signal)) {
    for (const key of keysOf(page, location)) {
      if (key < startAt) continue;
      if (endBefore !== undefined && key >= endBefore) return;
      signal?.throwIfAborted();
      yield key;
    }
  }
}

/** `Storage.listFolder`. Objects whose names are no keys are passed over; a folder that has only such is told. */
export async function* listFolder(
  requests: S3Requests,
  location: S3Location,
  { prefix = '', signal }: Pick<ListOptions, 'prefix' | 'signal'>,
): AsyncGenerator<string, void, undefined> {
  signal?.throwIfAborted();
  if (!canBeginKey(prefix)) return;
  for await (const page of pages(requests, location, { Prefix: location.root + prefix, Delimiter: '/' }, signal)) {
    // S3 orders each list, and puts no name on a page that comes before one of the page before.
    for (const name of [...keysOf(page, location), ...foldersOf(page, location)].sort()) {
      signal?.throwIfAborted();
      yield name;
    }
  }
}

/** Pages in order, each asked for when it is needed. */
async function* pages(
  requests: S3Requests,
  location: S3Location,
  query: Omit<ListObjectsV2CommandInput, 'Bucket'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListObjectsV2CommandOutput, void, undefined> {
  const action = { operation: 'list', location } as const;
  // Names may have characters that XML cannot.
  const input = { ...query, Bucket: location.bucket, MaxKeys: MAX_KEYS, EncodingType: 'url' } as const;
  for (let token: string | undefined; ;) {
    const page = await named(action, signal, () =>
      requests.send(
        'list',
        ({ sdk, client }, options) =>
          client.send(
            new sdk.ListObjectsV2Command(token === undefined ? input : { ...input, ContinuationToken: token }),
            options,
          ),
        signal,
      ),
    );
    yield page;
    if (page.IsTruncated !== true) return;
    const next = page.NextContinuationToken ?? '';
    // One that ends early would look complete, one that turns in circles would not end.
    if (next === '' || next === token) {
      throw new StorageUnavailable(`cannot list ${location.url}: S3 does not tell how the listing goes on`);
    }
    token = next;
  }
}

/** The keys on a page, relative to the storage. */
function keysOf(page: ListObjectsV2CommandOutput, location: S3Location): string[] {
  const names = (page.Contents ?? []).map(({ Key }) => Key ?? '');
  return relative(names, page, location).filter((key) => objectKeyFault(key) === undefined);
}

/** The common prefixes on a page, relative to the storage. */
function foldersOf(page: ListObjectsV2CommandOutput, location: S3Location): string[] {
  const names = (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? '');
  return relative(names, page, location).filter((folder) => objectKeyFault(folder.slice(0, -1)) === undefined);
}

function relative(
  names: readonly string[],
  { EncodingType }: ListObjectsV2CommandOutput,
  { root }: S3Location,
): string[] {
  return names
    .map((name) => (EncodingType === 'url' ? decoded(name) : name))
    .filter((name) => name.startsWith(root))
    .map((name) => name.slice(root.length));
}

/** Not every service that is asked to encode does so; one that does may write a blank as `+`. */
function decoded(name: string): string {
  if (!/[%+]/.test(name)) return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    // No UTF-8, so no key.
    return '';
  }
}

/** Whether a key can begin with it. Services do strange things with `../`. */
function canBeginKey(prefix: string): boolean {
  const folders = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  return prefix.length <= MAX_KEY_BYTES && (folders === '' || objectKeyFault(folders.slice(0, -1)) === undefined);
}
