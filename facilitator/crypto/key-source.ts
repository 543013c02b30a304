import type { KeyObject } from 'node:crypto';
import type { VerificationKeys } from './signature.ts';

/** Where the public keys of one party are found, by the identifiers in its signatures. */
export interface KeySource {
  /** Where that is, for errors and logs: `the options given`, `https://…/global-manifest.json`. */
  readonly origin: string;
  /**
   * The key of whoever signs as `identifier`; `undefined` if nobody does, of which the source has made sure.
   * @throws SigningKeyExpired, and whatever keeps a source from being asked: ManifestUnavailable, ManifestInvalid
   */
  find(identifier: string, signal?: AbortSignal): Promise<KeyObject | undefined>;
}

/** Keys that do not change while the program runs. */
export function fixedKeys(keys: VerificationKeys, origin = 'the options given'): KeySource {
  return { origin, find: async (identifier) => keys.get(identifier) };
}

/** One key, whatever identifier a signature bears. */
export function soleKey(key: KeyObject, origin = 'the option given'): KeySource {
  return { origin, find: async () => key };
}
