import { DspError, PermissionDenied } from '../../errors.ts';

/** Longer messages are somebody's page or file. */
const MAX_TEXT = 500;

/** JSON Web Tokens, Google's access tokens, AWS key ids. */
const TOKENS = /\beyJ[\w-]{4,}(?:\.[\w-]*){0,2}|\bya29\.[\w.-]+|\bA(?:KIA|SIA)[A-Z0-9]{12,}/g;

const NETWORK_CODES = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** How the vendors' libraries say that there is no ambient identity, or one that is refused. */
const AMBIENT: readonly { readonly says: (err: Error) => boolean; readonly wayOut: string }[] = [
  {
    says: ({ name }) =>
      /^(?:CredentialsProviderError|InvalidIdentityTokenException|ExpiredTokenException|IDPRejectedClaimException)$/.test(
        name,
      ),
    wayOut: 'no AWS credentials: give the pod a role, name one as identity, or set AWS_PROFILE or AWS_ACCESS_KEY_ID',
  },
  {
    says: ({ message }) =>
      /^Could not (?:load the default credentials|refresh access token)|\binvalid_grant\b/.test(message),
    wayOut: 'no Google credentials: set up Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS',
  },
];

/** Only marks what has been through here; for everybody else it is an error of the network. */
class CredentialServiceFailed extends Error {}

/** What the errors of both vendors' libraries may carry. */
interface VendorError extends Error {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly response?: { readonly status?: unknown } | undefined;
  /** Google's: the request. */
  readonly config?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $retryable?: unknown;
}

/**
 * The failure to get credentials: `PermissionDenied` with the way out if we were refused or have nothing to ask with.
 * If the service failed or could not be reached, an error without a code, which the backend names after what it was
 * doing, as it does with its own failures of the network.
 *
 * The cause has the vendor's text, and nothing else of the vendor's error: that may hold requests, and tokens in them.
 * @param what `cannot assume arn:…`
 * @param wayOut what must be so for it to work
 * @param secrets sent along, which the answer may repeat
 */
export function credentialFailure(
  { what, wayOut }: { readonly what: string; readonly wayOut: string },
  err: unknown,
  secrets: readonly string[] = [],
): Error {
  if (err instanceof DspError || err instanceof CredentialServiceFailed) return err;
  const cause = textOnly(err, secrets);
  if (isPassing(err)) return new CredentialServiceFailed(what, { cause });
  return new PermissionDenied(`${what}: ${wayOut}`, { cause });
}

/**
 * The same for a client that was given no identity: whether `err`, thrown by the client, says that there is no ambient
 * identity, or one that is refused.
 * @param what the client was about: `cannot list s3://…`
 */
export function ambientFailure(what: string, err: unknown): Error | undefined {
  if (!(err instanceof Error)) return undefined;
  const vendor = AMBIENT.find(({ says }) => says(err));
  return vendor && credentialFailure({ what, wayOut: vendor.wayOut }, err);
}

/** The texts of an error and its causes, without tokens. */
function textOnly(err: unknown, secrets: readonly string[]): Error {
  if (!(err instanceof Error)) return new Error('a failure without a name');
  const cause = err.cause instanceof Error ? { cause: textOnly(err.cause, secrets) } : {};
  const { name, message, code }: VendorError = err;
  // A syntax error quotes the text that is none, be it a file of keys. Google's library puts anything into messages.
  const told = err instanceof SyntaxError ? 'not valid JSON' : String(message || code);
  const text = secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[token]')), told);
  const shown = text.replace(TOKENS, '[token]').replace(/\s+/g, ' ').slice(0, MAX_TEXT);
  return new Error(/^(?:Error|GaxiosError)$/.test(name) ? shown : `${name}: ${shown}`, cause);
}

/** Whether the same request may succeed later: the vendors' libraries have repeated it in vain. */
function isPassing(err: unknown): boolean {
  if (!(err instanceof Error)) return false;
  const { name, code, status, response, config, $metadata, $retryable }: VendorError = err;
  if ($retryable !== undefined || (config !== undefined && response === undefined)) return true;
  const answer = $metadata?.httpStatusCode ?? response?.status ?? status;
  if (typeof answer === 'number') return answer === 408 || answer === 429 || answer >= 500;
  return name === 'TimeoutError' || name === 'AbortError' || NETWORK_CODES.has(String(code)) || isPassing(err.cause);
}
