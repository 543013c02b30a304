import type { ObjectBody } from '../../ports/storage.ts';

/** Settles as `promise` does, or rejects with the signal's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    const settle = (action: () => void): void => {
      signal.removeEventListener('abort', abort);
      action();
    };
    signal.addEventListener('abort', abort, { once: true });
    // The producer itself may have aborted, before we could listen.
    if (signal.aborted) abort();
    promise.then(
      (value) => settle(() => resolve(value)),
      (err: unknown) => settle(() => reject(err)),
    );
  });
}

/**
 * The chunks of a body, in order. An abort ends it at once with the signal's reason, also while the producer
 * keeps us waiting. Errors of the producer pass through as they are.
 */
export async function* chunksOf(body: ObjectBody, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  const producer = body[Symbol.asyncIterator]();
  let waiting = false;
  let finished = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      waiting = true;
      const next = await orAborted(producer.next(), signal);
      waiting = false;
      finished = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (!finished) {
      const stopped = Promise.resolve(producer.return?.()).catch(() => {});
      // A generator answers `return` only after the `next` that it owes us, maybe never: do not wait for that.
      if (!waiting) await stopped;
    }
  }
}
