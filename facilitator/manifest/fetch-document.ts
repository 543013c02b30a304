import pRetry, { AbortError } from 'p-retry';
import { ManifestUnavailable } from '../errors.ts';

/** What is needed to fetch, and how patiently. Times are milliseconds. */
export interface FetchSettings {
  readonly fetch: typeof globalThis.fetch;
  /** Repetitions after network errors, 429 and 5xx. */
  readonly retries: number;
  /** Before the first repetition; it doubles each time. */
  readonly minRetryDelayMs: number;
  /** For one attempt, body included. */
  readonly timeoutMs: number;
  /** Plain HTTP to this machine, for tests: keys are as good as the channel that they come through. */
  readonly allowLoopbackHttp: boolean;
}

export const FETCH_DEFAULTS: Omit<FetchSettings, 'fetch'> = {
  retries: 3,
  minRetryDelayMs: 500,
  timeoutMs: 10_000,
  allowLoopbackHttp: false,
};

export const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;

/** By what a server recognises that a document has not changed (RFC 9110 §8.8), as it stated it. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export interface FetchedDocument {
  readonly kind: 'document';
  readonly bytes: Uint8Array;
  readonly validators: Validators;
  /** How long it may be taken for current, by the server's Cache-Control; `undefined` if that does not say. */
  readonly maxAgeMs: number | undefined;
}

export type Fetched =
  | FetchedDocument
  | { readonly kind: 'unchanged'; readonly maxAgeMs: number | undefined }
  | { readonly kind: 'missing' };

/**
 * Fetches a small document over https. Redirects are not followed, since one over plain http would go unnoticed.
 * @param known of the copy at hand; with it, the answer may be `unchanged`
 * @throws ManifestUnavailable for any answer but 200, 304 and 404, or none after all repetitions
 */
export async function fetchDocument(url: string, settings: FetchSettings, known?: Validators): Promise<Fetched> {
  requireScheme(url, settings);
  const { retries, minRetryDelayMs: minTimeout } = settings;
  return pRetry(() => attempt(url, settings, known), { retries, minTimeout });
}

async function attempt(url: string, { fetch, timeoutMs }: FetchSettings, known?: Validators): Promise<Fetched> {
  try {
    const headers = conditions(known);
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    return await answerOf(response, url);
  } catch (cause) {
    // A failure with a name is one of ours; the rest are those of network and time.
    if (cause instanceof ManifestUnavailable || cause instanceof AbortError) throw cause;
    throw new ManifestUnavailable(`${url} cannot be fetched`, { cause });
  }
}

function conditions(known: Validators | undefined): Record<string, string> {
  // Asked for anew: a proxy on the way shall not answer by what it remembers.
  if (!known) return { 'cache-control': 'no-cache' };
  return {
    ...(known.etag === undefined ? {} : { 'if-none-match': known.etag }),
    ...(known.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
  };
}

async function answerOf(response: Response, url: string): Promise<Fetched> {
  const { status, headers } = response;
  const maxAgeMs = maxAgeOf(headers.get('cache-control'));
  if (status === 200) {
    const validators = {
      etag: headers.get('etag') ?? undefined,
      lastModified: headers.get('last-modified') ?? undefined,
    };
    return { kind: 'document', bytes: await readBody(response, url), validators, maxAgeMs };
  }
  // The body is of no interest, but the connection is.
  await response.body?.cancel();
  if (status === 304) return { kind: 'unchanged', maxAgeMs };
  if (status === 404) return { kind: 'missing' };
  const isRedirect = status >= 300 && status < 400;
  const advice = isRedirect ? ', and redirects are not followed: give the URL that it leads to' : '';
  const failure = new ManifestUnavailable(`${url} is answered with status ${status}${advice}`);
  throw status === 429 || status >= 500 ? failure : new AbortError(failure);
}

async function readBody({ body }: Response, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_MANIFEST_BYTES) {
      throw new AbortError(
        new ManifestUnavailable(`${url} has more than ${MAX_MANIFEST_BYTES} bytes, as no manifest has`),
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `no-cache` and `no-store` are an age of 0 (RFC 9111 §5.2.2). */
function maxAgeOf(cacheControl: string | null): number | undefined {
  const directives = (cacheControl ?? '')
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  if (directives.includes('no-cache') || directives.includes('no-store')) return 0;
  const seconds = directives.map((directive) => /^max-age="?(\d{1,10})"?$/.exec(directive)?.[1]).find(Boolean);
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function requireScheme(url: string, { allowLoopbackHttp }: FetchSettings): void {
  if (url.startsWith('https://') || (allowLoopbackHttp && url.startsWith('http://127.0.0.1:'))) return;
  throw new ManifestUnavailable(`${url} is not fetched: manifests come over https only`);
}
