import type { S3ServiceException } from '@aws-sdk/client-s3';
import { ConfigurationInvalid, DspError, ObjectMissing, PermissionDenied, StorageUnavailable } from '../../errors.ts';
import type { S3Location } from './s3-location.ts';

export type S3Operation = 'check' | 'list' | 'get' | 'put' | 'create' | 'replace' | 'delete';

/** What we were about, for the message. */
export interface S3Action {
  readonly operation: S3Operation;
  readonly key?: string;
  readonly location: S3Location;
}

/** What a role must be granted. An access control list is sent with each write, and If-Match reads the ETag. */
const PERMISSIONS: Readonly<Record<S3Operation, string>> = {
  check: 's3:ListBucket',
  list: 's3:ListBucket',
  get: 's3:GetObject',
  put: 's3:PutObject and s3:PutObjectAcl',
  create: 's3:PutObject and s3:PutObjectAcl',
  replace: 's3:PutObject, s3:PutObjectAcl and s3:GetObject',
  delete: 's3:DeleteObject',
};

const OTHER_REGION: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/** Codes that speak of the caller's identity, not of what it may do. */
const BAD_CREDENTIALS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'TokenRefreshRequired',
  'RequestTimeTooSkewed',
]);

/** The library's own complaints, before any request. */
const NO_CREDENTIALS: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError']);

type Told = Partial<Pick<S3ServiceException, '$metadata' | '$response'>> & { readonly Region?: unknown };

/** Whether a condition of the write did not hold: the object is there, is another by now, or is gone. */
export function isRefusal(err: unknown): boolean {
  return statusOf(err) === 412 || codeOf(err) === 'NoSuchKey';
}

/** Whether another write of the object was under way, so that S3 could not tell if the condition holds. */
export function isConflict(err: unknown): boolean {
  return statusOf(err) === 409;
}

/** Whether S3 knows us and refuses what we asked for. */
export function isForbidden(err: unknown): boolean {
  return err instanceof PermissionDenied && statusOf(err.cause) === 403 && !BAD_CREDENTIALS.has(codeOf(err.cause));
}

/** The failure of a request by its name; ours pass as they are. */
export function s3Failure(action: S3Action, cause: unknown): DspError {
  if (cause instanceof DspError) return cause;
  const { operation, key, location } = action;
  const code = codeOf(cause);
  const status = statusOf(cause);
  const what = `cannot ${operation} ${key === undefined ? '' : `'${key}' in `}${location.url}`;

  if (NO_CREDENTIALS.has(code)) {
    const wayOut = 'attach a role, name a profile in AWS_PROFILE, set AWS_ACCESS_KEY_ID, or give an identity';
    return new PermissionDenied(`${what}: there are no usable AWS credentials; ${wayOut}`, { cause });
  }
  const elsewhere = otherRegion(cause, location);
  if (elsewhere !== undefined) return new ConfigurationInvalid(`${what}: ${elsewhere}`, { cause });
  if (code === 'NoSuchBucket' || (status === 404 && operation === 'check')) {
    return new ConfigurationInvalid(`${what}: there is no bucket '${location.bucket}'`, { cause });
  }
  if (status === 404 && operation === 'get')
    return new ObjectMissing(`no object '${key}' in ${location.url}`, { cause });
  if (BAD_CREDENTIALS.has(code)) {
    const wayOut = 'check the credentials and the clock of this machine';
    return new PermissionDenied(`${what}: the AWS credentials are refused (${code}); ${wayOut}`, { cause });
  }
  if (code === 'InvalidObjectState') {
    return new StorageUnavailable(`${what}: the object is archived; restore it first`, { cause });
  }
  if (status === 401 || status === 403) return new PermissionDenied(`${what}: ${missingPermission(action)}`, { cause });
  return new StorageUnavailable(what + attemptsOf(cause), { cause });
}

function missingPermission({ operation, location }: S3Action): string {
  const needed = `this needs ${PERMISSIONS[operation]} on bucket '${location.bucket}'`;
  return operation === 'get' ? `${needed}; without s3:ListBucket an object that is missing is refused, too` : needed;
}

/** That the bucket is in another region, and in which, if S3 says so. */
function otherRegion(err: unknown, { region, bucket }: S3Location): string | undefined {
  const { Region, $response } = told(err);
  const headers: Readonly<Record<string, unknown>> = $response?.headers ?? {};
  const actual = Region ?? headers['x-amz-bucket-region'];
  const isRedirected = statusOf(err) === 301 || statusOf(err) === 307 || OTHER_REGION.has(codeOf(err));
  if (typeof actual === 'string' && actual !== region) {
    return `the bucket is in region ${actual}: write s3://${actual}/${bucket}`;
  }
  return isRedirected ? `the bucket is not in region ${region}, and S3 does not say in which` : undefined;
}

function attemptsOf(err: unknown): string {
  const { httpStatusCode, attempts } = told(err).$metadata ?? {};
  const facts = [
    ...(httpStatusCode === undefined ? [] : [`status ${httpStatusCode}`]),
    ...(attempts === undefined ? [] : [attempts === 1 ? '1 attempt' : `${attempts} attempts`]),
  ];
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`;
}

/** S3's error code, or the class of an error that the library made up. */
function codeOf(err: unknown): string {
  return err instanceof Error ? err.name : '';
}

function statusOf(err: unknown): number | undefined {
  return told(err).$metadata?.httpStatusCode;
}

function told(err: unknown): Told {
  // All members are optional, and only looked at.
  return err instanceof Error ? (err as Told) : {};
}
