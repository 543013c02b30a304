import { ConfigurationInvalid, DspError, PermissionDenied, QueueUnavailable } from '../../errors.ts';
import { ambientFailure } from '../credentials/failures.ts';

/** How a service is called, and what its errors mean for us. */
export interface AwsService {
  /** `SNS` */
  readonly name: string;
  /** Which permissions on the resource, as a sentence. */
  readonly needs: string;
  /** Which permissions on the key that encrypts it. */
  readonly keyNeeds: string;
  /** By `awsErrorName`: there is no such topic or queue. */
  readonly missing: ReadonlySet<string>;
  readonly ifMissing: string;
}

/** Codes that speak of the caller's identity, not of what it may do. */
const BAD_CREDENTIALS: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'MissingAuthenticationToken',
  'SignatureDoesNotMatch',
  'UnrecognizedClient',
]);

/** Of requests, topics and queues that no repetition makes work. */
const UNFIT =
  /^(?:InvalidParameter|InvalidAddress|InvalidAttribute|UnsupportedOperation|Validation|KMS(?:Disabled|InvalidState|NotFound|OptInRequired)$)/i;

/**
 * An error of the SDK by our name.
 * @param failure `cannot publish to arn:…`
 */
export function awsFailure(failure: string, cause: unknown, service: AwsService): DspError {
  const name = awsErrorName(cause);
  if (cause instanceof DspError) return cause;
  if (isAwsRefusal(cause)) return new PermissionDenied(`${failure}: ${service.needs}`, { cause });
  if (isRoleRefused(cause)) {
    return new PermissionDenied(`${failure}: our role may not be assumed; see its trust policy`, { cause });
  }
  if (/^KMSAccessDenied$/i.test(name)) return new PermissionDenied(`${failure}: ${service.keyNeeds}`, { cause });
  if (BAD_CREDENTIALS.has(name)) {
    const wayOut = 'check the credentials and the clock of this machine';
    return new PermissionDenied(`${failure}: the AWS credentials are refused (${name}); ${wayOut}`, { cause });
  }
  if (service.missing.has(name)) return new ConfigurationInvalid(`${failure}: ${service.ifMissing}`, { cause });
  if (UNFIT.test(name)) {
    return new ConfigurationInvalid(`${failure}: ${service.name} says that it cannot work`, { cause });
  }
  const credentials = ambientFailure(failure, cause);
  return credentials instanceof DspError ? credentials : new QueueUnavailable(failure, { cause });
}

/** Whether the service says that we may not do it. */
export function isAwsRefusal(err: unknown): boolean {
  return /^(?:AuthorizationError|AccessDenied)$/.test(awsErrorName(err)) && !isRoleRefused(err);
}

/** The SDK names some errors as the service does, and some with `Exception` at the end. */
export function awsErrorName(err: unknown): string {
  return err instanceof Error ? err.name.replace(/Exception$/, '') : '';
}

/** Whether STS says so, from which the SDK gets ambient credentials. */
function isRoleRefused(err: unknown): boolean {
  return awsErrorName(err) === 'AccessDenied' && err instanceof Error && err.message.includes('sts:AssumeRole');
}
