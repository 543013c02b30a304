import { ConfigurationInvalid, PermissionDenied, type DspError } from '../../common/errors.ts';
import { ClusterUnavailable, ReapingFailed } from '../errors.ts';

/** What was asked of the API server. */
export interface JobsRequest {
  readonly verb: 'list' | 'delete';
  readonly namespace: string;
  /** URL of the API server. */
  readonly server: string;
  /** Name of the Job to delete. */
  readonly name?: string;
}

/** What the API server answered that is no success. */
export interface Refusal {
  /** HTTP. */
  readonly status: number;
  /** In the server's words; empty if it said nothing, as with 401. */
  readonly message: string;
  /** Where an expired listing may go on. */
  readonly continue: string | undefined;
}

/** @returns `undefined` if the API server did not answer at all */
export function refusalOf(err: unknown): Refusal | undefined {
  // The library's ApiException: `code` is the HTTP status. Others have codes, too, but never with headers.
  if (!(err instanceof Error) || !('headers' in err && 'code' in err) || typeof err.code !== 'number') return undefined;
  const status = parsed('body' in err ? err.body : undefined);
  return { status: err.code, message: status.message ?? '', continue: status.metadata?.continue };
}

interface Status {
  readonly message?: string;
  readonly metadata?: { readonly continue?: string };
}

/** Kubernetes' `Status`; a proxy's error page becomes one without fields. */
function parsed(body: unknown): Status {
  try {
    const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    // Whatever fields it has, it has by the API's definition of `Status`.
    return value instanceof Object ? value : {};
  } catch {
    return {};
  }
}

/** Every authorizer's refusal reads `User "x" cannot delete resource "jobs" …`; admission control has other words. */
const UNAUTHORIZED = /\bcannot (?:list|delete) resource\b/;

/** The named failure of a request. The cause is the server's message: the library's has all headers in it. */
export function failureOf(err: unknown, request: JobsRequest): DspError {
  const { verb, namespace, server, name } = request;
  const what = verb === 'list' ? `list the jobs in namespace ${namespace}` : `delete job ${namespace}/${name}`;
  const refusal = refusalOf(err);
  if (!refusal) return new ClusterUnavailable(`could not ${what}: no answer from ${server}`, { cause: err });
  const { status, message } = refusal;
  const options = { cause: new Error(`HTTP ${status}${message === '' ? '' : `: ${message}`}`) };
  if (status === 401) {
    return new PermissionDenied(
      `could not ${what}: ${server} does not accept our credentials; check the service account's token, or --kube-config-path`,
      options,
    );
  }
  if (status === 403 && (verb === 'list' || UNAUTHORIZED.test(message))) {
    return new PermissionDenied(
      `may not ${verb} jobs in namespace ${namespace}: give the service account the verb "${verb}" on resource "jobs" of API group "batch"`,
      options,
    );
  }
  if (status === 429 || status >= 500) {
    return new ClusterUnavailable(`could not ${what}: ${server} failed`, options);
  }
  if (verb === 'delete') return new ReapingFailed(`could not ${what}: ${server} refused`, options);
  const wayOut = status === 400 ? 'check --reap-label-selector' : 'is it the API server of a Kubernetes cluster?';
  return new ConfigurationInvalid(`could not ${what}: ${server} refused; ${wayOut}`, options);
}
