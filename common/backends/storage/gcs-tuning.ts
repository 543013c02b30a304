/** How patient a client is. Times are milliseconds. */
export interface GcsTuning {
  /** Repetitions of a request after 408, 429, 5xx or without an answer; at least one. */
  readonly retries: number;
  /** The waits grow to this: 0.1 s, 0.5 s, 1.5 s, … */
  readonly maxRetryDelayMs: number;
  /**
   * For the head of an answer and once more for its body, then the request is repeated; more if it has a large body.
   * Not much: Google's HTTP client does not notice an answer that the other side has broken off in good order.
   */
  readonly attemptTimeoutMs: number;
  /** For a request with all repetitions, and for credentials. */
  readonly requestTimeoutMs: number;
  /** For the next bytes of an object that is read. */
  readonly idleTimeoutMs: number;
  /** Instead of Google's, and without credentials; for tests. */
  readonly endpoint?: string;
}

export const GCS_TUNING: GcsTuning = {
  retries: 6,
  maxRetryDelayMs: 16_000,
  attemptTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 15_000,
};

/** 501 and the like will not go away. */
export const PASSING_STATUSES = [
  [408, 408],
  [429, 429],
  [500, 500],
  [502, 504],
];

const PASSING_CODES: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
]);
const TIMEOUTS: ReadonlySet<unknown> = new Set(['request-timeout', 'body-timeout']);

/** What the library hands over of a failure: a status or system's code, either in itself or in a cause. */
interface UploadFailure {
  readonly code?: unknown;
  readonly errors?: readonly ({ readonly reason?: unknown } | undefined)[];
  readonly error?: { readonly type?: unknown };
}

/** Whether a part of an upload is worth repeating. The library's own list lacks timeouts and refused connections. */
export function isPassing(err: UploadFailure): boolean {
  const status = Number(err.code);
  if (PASSING_STATUSES.some(([from = 0, to = 0]) => status >= from && status <= to)) return true;
  const codes = [err.code, ...(err.errors ?? []).map((inner) => inner?.reason)];
  return codes.some((code) => PASSING_CODES.has(code)) || TIMEOUTS.has(err.error?.type);
}
