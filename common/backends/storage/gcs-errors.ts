import { ConfigurationInvalid, DspError, ObjectMissing, PermissionDenied, StorageUnavailable } from '../../errors.ts';
import { ambientFailure } from '../credentials/failures.ts';

/** What we were about, for the message. */
export interface GcsAction {
  readonly operation: 'check' | 'list' | 'get' | 'put' | 'create' | 'replace' | 'delete';
  readonly key?: string;
  /** Of the storage. */
  readonly url: string;
  readonly bucket: string;
}

/** What each operation cannot do without. https://cloud.google.com/storage/docs/access-control/iam-json */
const PERMISSIONS: Readonly<Record<GcsAction['operation'], string>> = {
  check: 'storage.buckets.get',
  list: 'storage.objects.list',
  get: 'storage.objects.get',
  put: 'storage.objects.create',
  create: 'storage.objects.create',
  replace: 'storage.objects.create',
  delete: 'storage.objects.delete',
};

/** Google also answers 403 to those who ask too often. */
const RATE_REASONS: ReadonlySet<unknown> = new Set(['rateLimitExceeded', 'userRateLimitExceeded']);

const BUCKET_MISSING = /bucket does not exist/i;

/** What Google's errors may carry, whichever of its libraries throws them. */
interface GoogleError {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly status?: unknown;
  readonly response?: { readonly status?: unknown };
  readonly errors?: unknown;
}

/** Names a failure of Google's library. Names of ours, as credentials have them, are kept. */
export function gcsFailure(action: GcsAction, err: unknown): DspError {
  if (err instanceof DspError) return err;
  const { operation, key, url, bucket } = action;
  const what = `cannot ${operation} ${key === undefined ? '' : `'${key}' in `}${url}`;
  const cause = err instanceof Error ? err : new Error(textOf(err));
  // First, as a metadata server that has none for us answers 404, too.
  const credentials = ambientFailure(what, err);
  if (credentials instanceof DspError) return credentials;
  const status = credentials ? undefined : statusOf(err);
  if (status === undefined) return new StorageUnavailable(what, { cause: credentials ?? cause });
  if (status === 404) {
    return operation === 'get' && !tellsBucketMissing(textOf(err))
      ? new ObjectMissing(`no object '${key}' in ${url}`, { cause })
      : missingBucket(bucket, cause);
  }
  if (status === 401) return new PermissionDenied(`${what}: Google refused our credentials`, { cause });
  if (status === 403 && !isRateLimit(err)) {
    const permission = /\bstorage\.[a-z]+\.[a-zA-Z]+/.exec(textOf(err))?.[0] ?? PERMISSIONS[operation];
    return new PermissionDenied(`${what}: we lack ${permission} on gs://${bucket}`, { cause });
  }
  return new StorageUnavailable(`${what} (HTTP ${status})`, { cause });
}

export function missingBucket(bucket: string, cause?: unknown): ConfigurationInvalid {
  return new ConfigurationInvalid(
    `the bucket gs://${bucket} does not exist: create it, or correct the location`,
    cause === undefined ? {} : { cause },
  );
}

/** Whether a text of Google's says that the bucket is missing, not only an object in it. */
export function tellsBucketMissing(text: string): boolean {
  return BUCKET_MISSING.test(text);
}

/** The HTTP status in an error, if there is one. */
export function statusOf(err: unknown): number | undefined {
  if (typeof err !== 'object' || err === null) return undefined;
  const { response, status, code } = err as GoogleError;
  return [response?.status, status, code].map(Number).find((n) => Number.isInteger(n) && n >= 100 && n < 600);
}

function isRateLimit(err: unknown): boolean {
  const { errors } = err as GoogleError;
  return Array.isArray(errors) && errors.some((inner: { reason?: unknown } | null) => RATE_REASONS.has(inner?.reason));
}

/** What an error says: Google's libraries put anything into the message, and reject with objects that are no errors. */
export function textOf(err: unknown): string {
  const message = typeof err === 'object' && err !== null ? (err as GoogleError).message : err;
  return typeof message === 'string' ? message : (JSON.stringify(message) ?? 'no message');
}
