/**
 * What `ask` resolves or rejects with, but no later than the limit, when it rejects by itself: `ask` may fail to notice
 * that its connection is gone. Its signal is aborted at the limit, or with `signal`.
 */
export async function withinLimit<T>(
  limitMs: number,
  signal: AbortSignal | undefined,
  ask: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const timeout = new AbortController();
  // Not `AbortSignal.timeout`, which would let the process end in the meantime.
  const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${limitMs} ms`)), limitMs);
  const limit = signal ? AbortSignal.any([timeout.signal, signal]) : timeout.signal;
  const aborted = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true });
  });
  try {
    return await Promise.race([aborted, ask(limit)]);
  } finally {
    clearTimeout(timer);
  }
}
