/** Something that ends work before it is done. */
export interface Stopper {
  readonly signal: AbortSignal;
  /** How long the work may take to return once it was told; work that ignores its signal is left behind then. */
  readonly patienceMs: number;
}

export interface Bounds {
  readonly timeoutMs: number;
  /** With what the work is aborted after `timeoutMs`. */
  readonly timedOut: () => Error;
  /** Also after the time-out. */
  readonly patienceMs: number;
  readonly stoppers: readonly Stopper[];
  /** The work is left behind: whatever it does from now on, nobody waits for it. */
  readonly onAbandoned: () => void;
}

/**
 * Does work with a signal that aborts at the time-out and with the first of the stoppers. Work that then fails, with
 * whatever error, fails with the signal's reason; work that returns all the same has been done.
 */
export async function doBounded<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, timedOut, patienceMs, stoppers, onAbandoned }: Bounds,
): Promise<T> {
  const { signal, abort, abandoned, end } = abortWithPatience();
  const timeout = setTimeout(() => abort(timedOut(), patienceMs), timeoutMs);
  const listening = stoppers.map((stopper) => {
    const stop = (): void => abort(stopper.signal.reason, stopper.patienceMs);
    if (stopper.signal.aborted) stop();
    // Not `AbortSignal.any`: on Node 20 a signal that outlives many dependents keeps a trace of each.
    else stopper.signal.addEventListener('abort', stop, { once: true });
    return { source: stopper.signal, stop };
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(signal), abandoned.then(onAbandoned).then(() => Promise.reject(signal.reason))]);
  } catch (err) {
    throw signal.aborted ? signal.reason : err;
  } finally {
    clearTimeout(timeout);
    for (const { source, stop } of listening) source.removeEventListener('abort', stop);
    end();
  }
}

function abortWithPatience(): {
  signal: AbortSignal;
  abort: (reason: unknown, patienceMs: number) => void;
  /** Resolves when the patience of any abortion is over. */
  abandoned: Promise<void>;
  end: () => void;
} {
  const controller = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let abandon: () => void = () => {};
  const abandoned = new Promise<void>((resolve) => {
    abandon = resolve;
  });
  return {
    signal: controller.signal,
    abort: (reason, patienceMs) => {
      controller.abort(reason);
      timers.push(setTimeout(abandon, patienceMs));
    },
    abandoned,
    end: () => timers.forEach((timer) => clearTimeout(timer)),
  };
}
