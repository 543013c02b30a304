import { namedFailure } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { LabelsOf, Metrics } from './metrics.ts';

type Endpoint = LabelsOf<'facilitator_api_latency_ms'>['endpoint'];
type Operation = LabelsOf<'facilitator_object_store_requests_total'>['operation'];

/** The reference's names for those that it knows. */
const SERVICES: Readonly<Record<string, string>> = { gs: 'storage.googleapis.com', s3: 's3.amazonaws.com' };

/** The value of the label `service` for a storage. @param url as of `Storage.url` */
export function storageService(url: string): string {
  const scheme = url.slice(0, Math.max(0, url.indexOf(':')));
  return SERVICES[scheme] ?? scheme;
}

/** Counts requests; for the `onRequest` of a storage's settings, as only the storage itself sees them all. */
export function requestCounter(metrics: Metrics, service: string): (operation: Operation) => void {
  return (operation) => metrics.increment('facilitator_object_store_requests_total', { service, operation });
}

/** `base`, of which every call is measured: how long it took and how it ended. */
export function measuredStorage(
  base: Storage,
  metrics: Metrics,
  clock: () => Date,
  service: string = storageService(base.url),
): Storage {
  const observe = (endpoint: Endpoint, status: string, elapsedMs: number): void =>
    // The clock may have been set back.
    metrics.observe('facilitator_api_latency_ms', { service, endpoint, status }, Math.max(0, elapsedMs));

  const measured = async <T>(
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    const startedMs = clock().getTime();
    let status = 'success';
    try {
      return await work();
    } catch (err) {
      status = failureOf(err, signal);
      throw err;
    } finally {
      observe(endpoint, status, clock().getTime() - startedMs);
    }
  };

  /** Counts only the time that the storage has it, not that of whoever reads the keys. */
  async function* measuredKeys(keys: AsyncIterable<string>, signal: AbortSignal | undefined): AsyncGenerator<string> {
    let elapsedMs = 0;
    let status = 'success';
    let resumedMs = clock().getTime();
    try {
      for await (const key of keys) {
        elapsedMs += clock().getTime() - resumedMs;
        yield key;
        resumedMs = clock().getTime();
      }
      elapsedMs += clock().getTime() - resumedMs;
    } catch (err) {
      elapsedMs += clock().getTime() - resumedMs;
      status = failureOf(err, signal);
      throw err;
    } finally {
      observe('list', status, elapsedMs);
    }
  }

  return {
    url: base.url,
    check: (access, signal) => measured('check', signal, () => base.check(access, signal)),
    list: (options) => measuredKeys(base.list(options), options?.signal),
    listFolder: (options) => measuredKeys(base.listFolder(options), options?.signal),
    get: (key, options) => measured('get', options?.signal, () => base.get(key, options)),
    put: (key, body, options) => measured('put', options?.signal, () => base.put(key, body, options)),
    createIfAbsent: (key, body, options) =>
      measured('create', options?.signal, () => base.createIfAbsent(key, body, options)),
    replaceIfUnchanged: (key, version, body, options) =>
      measured('replace', options?.signal, () => base.replaceIfUnchanged(key, version, body, options)),
    delete: (key, options) => measured('delete', options?.signal, () => base.delete(key, options)),
  };
}

function failureOf(err: unknown, signal: AbortSignal | undefined): string {
  return signal?.aborted ? 'aborted' : (namedFailure(err)?.code ?? 'unknown');
}
