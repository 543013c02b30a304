import type { KeyObject } from 'node:crypto';
import type { Logger } from '../../common/runtime/log.ts';
import type { KeySource } from '../crypto/key-source.ts';
import { SigningKeyExpired } from '../errors.ts';
import type { CachedManifest, HeldManifest } from './cached-manifest.ts';
import { parseExpiration } from './expiration.ts';
import type { ManifestKey, ManifestKeys } from './kinds.ts';
import { parseManifestPublicKey } from './public-key.ts';

/** A manifest that has batch signing keys. */
export interface KeyManifest {
  readonly batchSigningPublicKeys: ManifestKeys;
}

export interface ManifestKeySettings {
  /** Whose keys these are, for logs: `ingestor`, `peer`. */
  readonly party: string;
  /** How long after its expiration a key still counts, with a warning. */
  readonly expiredKeyGraceMs: number;
  readonly clock: () => Date;
  readonly log: Logger;
  /** Told, whenever a key was asked for and is there, when it expires; not if that is no date. */
  readonly onExpiration?: (identifier: string, expiration: Date) => void;
}

/**
 * The batch signing keys in a manifest. Before a key counts as unknown, or as expired for good, the manifest is fetched
 * anew once, since its author may have published it a moment ago.
 */
export class ManifestKeySource implements KeySource {
  readonly #manifest: CachedManifest<KeyManifest>;
  readonly #settings: ManifestKeySettings;
  /** By identifier, the confirmation of the manifest for which a warning was logged: one for each is enough. */
  readonly #warnedAtMs = new Map<string, number>();

  constructor(manifest: CachedManifest<KeyManifest>, settings: ManifestKeySettings) {
    this.#manifest = manifest;
    this.#settings = settings;
  }

  get origin(): string {
    return this.#manifest.url;
  }

  /**
   * @throws SigningKeyExpired; ManifestInvalid if the key that is looked for cannot be read, others are left alone; those
   *   of `CachedManifest`
   */
  async find(identifier: string, signal?: AbortSignal): Promise<KeyObject | undefined> {
    const askedAtMs = this.#nowMs();
    let held = await this.#manifest.get(signal);
    // What was confirmed since the question was asked cannot be newer by asking again.
    if (held.confirmedAtMs < askedAtMs && !this.#isGood(held, identifier)) {
      held = await this.#manifest.refetch(signal);
    }
    const entry = held.manifest.batchSigningPublicKeys.get(identifier);
    if (!entry) return undefined;
    this.#checkExpiration(held, identifier, entry);
    return parseManifestPublicKey(entry.publicKey, `${held.url}: ${fieldOf(identifier, 'public-key')}`);
  }

  #isGood({ manifest }: HeldManifest<KeyManifest>, identifier: string): boolean {
    const entry = manifest.batchSigningPublicKeys.get(identifier);
    return entry !== undefined && (this.#overdueMs(entry) ?? 0) <= this.#settings.expiredKeyGraceMs;
  }

  #checkExpiration({ url, confirmedAtMs }: HeldManifest<KeyManifest>, identifier: string, entry: ManifestKey): void {
    const overdueMs = this.#overdueMs(entry);
    const { party, expiredKeyGraceMs, onExpiration } = this.#settings;
    const expiration = parseExpiration(entry.expiration);
    if (expiration) onExpiration?.(identifier, expiration);
    if (overdueMs !== undefined && overdueMs <= 0) return;
    if (overdueMs !== undefined && overdueMs > expiredKeyGraceMs) {
      throw new SigningKeyExpired(
        `key "${identifier}" of ${url} expired at ${entry.expiration}, longer ago than --expired-key-grace allows`,
      );
    }
    if (this.#warnedAtMs.get(identifier) === confirmedAtMs) return;
    this.#warnedAtMs.set(identifier, confirmedAtMs);
    this.#settings.log.warn(
      { party, key_id: identifier, expiration: entry.expiration, manifest_url: url },
      overdueMs === undefined
        ? 'expiration of batch signing key is no date; the key is used'
        : 'batch signing key has expired and will be refused soon',
    );
  }

  /** Since its expiration, negative before it; `undefined` if that is no date. */
  #overdueMs({ expiration }: ManifestKey): number | undefined {
    const time = parseExpiration(expiration);
    return time && this.#nowMs() - time.getTime();
  }

  #nowMs(): number {
    return this.#settings.clock().getTime();
  }
}

/** The path of a key's field in a manifest, for errors. */
export function fieldOf(identifier: string, field: string): string {
  return `batch-signing-public-keys.${JSON.stringify(identifier)}.${field}`;
}
