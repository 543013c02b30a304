import { describeError, DspError, errorFields } from '../../common/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../../common/domain/interval.ts';
import type { Logger } from '../../common/runtime/log.ts';
import { ManifestUnavailable } from '../errors.ts';
import { fetchDocument, type FetchSettings, type Validators } from './fetch-document.ts';

/** How long a manifest is taken for current, milliseconds, unless its server says less. */
export const MAX_AGE_MS = 5 * MINUTE_MS;
/** The least, whatever the server says: manifests are often published as `no-cache`, and batches come by the second. */
const MIN_AGE_MS = 10_000;
/** How long the last good copy does while no newer one can be had. */
const MAX_STALE_MS = 24 * HOUR_MS;
/** Between two attempts to replace a copy that has outlived its age. */
const STALE_PAUSE_MS = 30_000;

export interface ManifestSource<M> {
  /** In order of preference: one counts only where those before it are not to be had. At least one. */
  readonly urls: readonly [string, ...string[]];
  /** @throws ManifestInvalid */
  readonly parse: (json: Uint8Array, url: string) => M;
}

export interface CacheSettings {
  readonly fetching: FetchSettings;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** A manifest as it is now, as far as we know. */
export interface HeldManifest<M> {
  readonly manifest: M;
  readonly url: string;
  /** When the server last said that this is how it is. */
  readonly confirmedAtMs: number;
}

interface Copy<M> extends HeldManifest<M> {
  readonly validators: Validators;
  readonly currentUntilMs: number;
}

/**
 * A manifest that is fetched when it is first needed, and asked for again when it has outlived its age. While it cannot
 * be had, or is invalid, the last good copy does for a day, with a warning: an outage of the peer's web server, or a
 * typing error in its manifest, must not stop us. Those who need it at the same time share one request.
 */
export class CachedManifest<M> {
  readonly #source: ManifestSource<M>;
  readonly #settings: CacheSettings;
  #copy: Copy<M> | undefined;
  #fetching: Promise<Copy<M>> | undefined;

  constructor(source: ManifestSource<M>, settings: CacheSettings) {
    this.#source = source;
    this.#settings = settings;
  }

  /** The URL that it came from, or comes from by preference. */
  get url(): string {
    return this.#copy?.url ?? this.#source.urls[0];
  }

  /** @throws ManifestUnavailable, ManifestInvalid if there is no copy that still does; whatever aborts `signal` */
  async get(signal?: AbortSignal): Promise<HeldManifest<M>> {
    const copy = this.#copy;
    if (copy && this.#nowMs() < copy.currentUntilMs) return copy;
    signal?.throwIfAborted();
    return abortable(
      this.#fetch({ unconditionally: false }).catch((err) => this.#makeDo(err)),
      signal,
    );
  }

  /**
   * Fetches it anew, whatever its age, since the copy at hand lacks something. The copy is kept for others until there
   * is a better one.
   * @throws ManifestUnavailable, ManifestInvalid; whatever aborts `signal`
   */
  async refetch(signal?: AbortSignal): Promise<HeldManifest<M>> {
    signal?.throwIfAborted();
    return abortable(this.#fetch({ unconditionally: true }), signal);
  }

  #fetch({ unconditionally }: { readonly unconditionally: boolean }): Promise<Copy<M>> {
    this.#fetching ??= this.#firstToBeHad(unconditionally ? undefined : this.#copy)
      .then((copy) => (this.#copy = copy))
      .finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  /** The copy at hand for a little longer, if it is not too old. */
  #makeDo(err: unknown): Copy<M> {
    const copy = this.#copy;
    const nowMs = this.#nowMs();
    if (!copy || !(err instanceof DspError) || nowMs >= copy.confirmedAtMs + MAX_STALE_MS) throw err;
    const stale = { manifest_url: copy.url, manifest_age_ms: nowMs - copy.confirmedAtMs };
    this.#settings.log.warn({ ...errorFields(err), ...stale }, 'manifest cannot be renewed; its last copy is used');
    return (this.#copy = { ...copy, currentUntilMs: nowMs + STALE_PAUSE_MS });
  }

  async #firstToBeHad(known: Copy<M> | undefined): Promise<Copy<M>> {
    const failures: ManifestUnavailable[] = [];
    for (const url of this.#source.urls) {
      try {
        return await this.#fetchFrom(url, known?.url === url ? known : undefined);
      } catch (err) {
        // One that is there but invalid is for its author to correct: no other stands in for it.
        if (!(err instanceof ManifestUnavailable)) throw err;
        // A passing failure is no reason to go over to another manifest than the one at hand.
        if (this.#copy?.url === url && !(err instanceof ManifestMissing)) throw err;
        failures.push(err);
        if (url === this.#source.urls.at(-1)) break;
        this.#settings.log.warn({ manifest_url: url, ...errorFields(err) }, 'no manifest here; trying the next place');
      }
    }
    const [only, ...others] = failures;
    if (only && others.length === 0) throw only;
    throw new ManifestUnavailable(failures.map(describeError).join('; '), { cause: only });
  }

  async #fetchFrom(url: string, known: Copy<M> | undefined): Promise<Copy<M>> {
    const fetched = await fetchDocument(url, this.#settings.fetching, known?.validators);
    if (fetched.kind === 'missing') throw new ManifestMissing(`there is no ${url}`);
    const nowMs = this.#nowMs();
    const ageMs = Math.max(MIN_AGE_MS, Math.min(MAX_AGE_MS, fetched.maxAgeMs ?? MAX_AGE_MS));
    const times = { confirmedAtMs: nowMs, currentUntilMs: nowMs + ageMs };
    if (fetched.kind === 'document') {
      const { bytes, validators } = fetched;
      return { manifest: this.#source.parse(bytes, url), url, validators, ...times };
    }
    if (!known) throw new ManifestUnavailable(`${url} is answered as unchanged, though it was asked for anew`);
    return { ...known, ...times };
  }

  #nowMs(): number {
    return this.#settings.clock().getTime();
  }
}

/** A server that says so is believed; others may only be out of order. */
class ManifestMissing extends ManifestUnavailable {}

/** `work`, unless `signal` is sooner; the work goes on for others who wait for it. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const settled = new AbortController();
  try {
    const aborted = new Promise<never>((_resolve, reject) => {
      const { signal: end } = settled;
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: end });
    });
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}
