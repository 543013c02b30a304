import { setTimeout as delay } from 'node:timers/promises';
import type { Storage as GoogleStorage } from '@google-cloud/storage';
import type { AuthClient } from 'google-auth-library';
import { googleCredentials } from '../credentials/google.ts';
import { googleCredentialsKey, type Credentials } from '../credentials/settings.ts';
import { GCS_TUNING, isPassing, PASSING_STATUSES, type GcsTuning } from './gcs-tuning.ts';

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query, from the endpoint on: `/storage/v1/b/…`. */
  readonly path: string;
  readonly body?: Buffer;
  /** A stream is not decoded, and the caller ends or cancels it. */
  readonly answer: 'json' | 'stream';
  /** Statuses besides 2xx that are answers, not errors. */
  readonly expect?: readonly number[];
}

export interface GcsResponse<T> {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly data: T;
  /** Breaks off the transmission of a stream. */
  readonly cancel: () => void;
  /** For the next bytes of a stream, see `GcsTuning`. */
  readonly idleTimeoutMs: number;
}

type DecorateRequestOptions = ReturnType<GoogleStorage['interceptors'][number]['request']>;
type RequestOptions = Parameters<AuthClient['request']>[0];

/** 256 KiB/s. */
const SLOWEST_BYTES_PER_MS = 262;
/** For a part of a large upload, at that speed. */
const PART_TIMEOUT_MS = 45_000;
const DISCARD_TIMEOUT_MS = 5_000;
/** The library's limit for a whole upload, which the number of repetitions limits already. Seconds. */
const UPLOAD_RETRY_WINDOW_S = 86_400;

const clients = new Map<string, Promise<GcsClient>>();

/** The client of this process for these credentials; loads Google's library. */
export function sharedGcsClient(settings: Credentials): Promise<GcsClient> {
  const key = googleCredentialsKey(settings);
  const known = clients.get(key);
  if (known) return known;
  const client = GcsClient.create(settings);
  clients.set(key, client);
  // Credentials that cannot be had now may be there later.
  client.catch(() => clients.delete(key));
  return client;
}

/**
 * Google's storage client, for what it does best (large uploads), and its HTTP client with credentials and repetitions,
 * for small requests: `File.save` takes more than twice the processor time for a marker.
 *
 * The HTTP client keeps connections alive by Node's global agents, and honours `HTTPS_PROXY`. STORAGE_EMULATOR_HOST,
 * which Google's library reads, replaces the endpoint; no credentials are looked for then.
 */
export class GcsClient {
  readonly storage: GoogleStorage;
  readonly #tuning: GcsTuning;
  readonly #http: Pick<AuthClient, 'request'>;

  private constructor(storage: GoogleStorage, http: Pick<AuthClient, 'request'>, tuning: GcsTuning) {
    this.storage = storage;
    this.#tuning = tuning;
    this.#http = http;
  }

  static async create(settings: Credentials = {}, tuning: GcsTuning = GCS_TUNING): Promise<GcsClient> {
    const { Storage, IdempotencyStrategy } = await import('@google-cloud/storage');
    const { retries, maxRetryDelayMs, endpoint } = tuning;
    const options = {
      retryOptions: {
        maxRetries: retries,
        // The library cannot take less than a second.
        maxRetryDelay: Math.max(1, maxRetryDelayMs / 1000),
        totalTimeout: UPLOAD_RETRY_WINDOW_S,
        idempotencyStrategy: IdempotencyStrategy.RetryAlways,
        retryableErrorFn: isPassing,
      },
      ...(endpoint === undefined ? {} : { apiEndpoint: endpoint }),
    };
    const open = (authClient?: AuthClient): GoogleStorage => {
      const storage = new Storage({ ...options, ...(authClient ? { authClient } : {}) });
      // The library would wait for ever for the answer to a part of an upload.
      // Its type promises an address, which is added later.
      const limited = (request: object): DecorateRequestOptions =>
        ({ ...request, timeout: PART_TIMEOUT_MS }) as unknown as DecorateRequestOptions;
      storage.interceptors.push({ request: limited });
      return storage;
    };
    const storage = open();
    if (storage.customEndpoint) {
      const { PassThroughClient } = await import('google-auth-library');
      return new GcsClient(storage, new PassThroughClient(), tuning);
    }
    const credentials = await googleCredentials(settings);
    const authorized = credentials ? open(credentials) : storage;
    return new GcsClient(authorized, authorized.authClient, tuning);
  }

  /**
   * Makes a request, repeated while it fails for passing reasons, whether or not it is idempotent: all of ours may be.
   * @throws the signal's reason, or an error of Google's library
   */
  async send<T>(request: GcsRequest, signal: AbortSignal | undefined): Promise<GcsResponse<T>> {
    signal?.throwIfAborted();
    const { requestTimeoutMs, idleTimeoutMs } = this.#tuning;
    const canceller = new AbortController();
    const cancel = (): void => canceller.abort();
    const abort = (): void => canceller.abort(signal?.reason);
    const expire = (): void => canceller.abort(new Error(`no answer within ${requestTimeoutMs / 1000} s`));
    const timer = setTimeout(expire, requestTimeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    // Raced, as neither getting credentials nor the text of an error heeds the signal.
    const cancelled = new Promise<never>((_, reject) => {
      canceller.signal.addEventListener('abort', () => reject(canceller.signal.reason), { once: true });
    });
    try {
      const response = this.#http.request<T>(this.#options(request, canceller.signal));
      const { status, headers, data } = await Promise.race([response, cancelled]);
      return { status, headers, data, cancel, idleTimeoutMs };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Gives up a resumable upload, so that nothing under way can finish it. Never throws: Google forgets it in a week. */
  async discardUpload(url: string): Promise<void> {
    const options: RequestOptions = {
      method: 'DELETE',
      url,
      body: Buffer.alloc(0),
      timeout: DISCARD_TIMEOUT_MS,
      validateStatus: () => true,
    };
    await this.#http.request(options).catch(() => {});
  }

  #options({ method, path, body, answer, expect = [] }: GcsRequest, signal: AbortSignal): RequestOptions {
    const { retries, maxRetryDelayMs, attemptTimeoutMs } = this.#tuning;
    return {
      method,
      url: this.storage.apiEndpoint + path,
      ...(body ? { body, headers: { 'Content-Type': 'application/octet-stream' } } : {}),
      // For the library below, which decodes a stream otherwise: its size and digest are of what is stored.
      ...(answer === 'stream' ? { compress: false } : {}),
      responseType: answer,
      timeout: attemptTimeoutMs + (body?.length ?? 0) / SLOWEST_BYTES_PER_MS,
      signal,
      validateStatus: (status) => (status >= 200 && status < 300) || expect.includes(status),
      retryConfig: {
        retry: retries,
        noResponseRetries: retries,
        httpMethodsToRetry: ['GET', 'POST', 'DELETE'],
        statusCodesToRetry: PASSING_STATUSES,
        maxRetryDelay: maxRetryDelayMs,
        // The library's own wait would outlast an abort.
        retryBackoff: (_, delayMs) => delay(delayMs, undefined, { signal }),
      },
    };
  }
}
