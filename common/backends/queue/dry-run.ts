import type { Enqueuer } from '../../ports/queue.ts';

/**
 * Publishes nothing: prints `would publish to URL: BODY` for each message, without line feed. `check` asks `base`, so
 * that a dry run fails where the real run would; disposing of it disposes of `base`.
 */
export function dryRunEnqueuer(base: Enqueuer, print: (line: string) => void): Enqueuer {
  return {
    url: base.url,
    publish: async (body, signal) => {
      signal?.throwIfAborted();
      print(`would publish to ${base.url}: ${body}`);
    },
    check: (signal) => base.check(signal),
    create: async (signal) => {
      signal?.throwIfAborted();
      print(`would create ${base.url} with a subscription, unless it is there`);
    },
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
  };
}
