import { ConfigurationInvalid, UsageError } from '../../common/errors.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { ManifestInvalid } from '../errors.ts';
import type { CachedManifest } from './cached-manifest.ts';

/** Where a manifest wants something written, and as whom. */
export interface ManifestLocation {
  /** The field, for errors. */
  readonly field: string;
  readonly location: string;
  /** `undefined` if the manifest does not say. */
  readonly identity: string | undefined;
}

/**
 * A storage that a manifest names, to be asked for whenever a task begins. While the manifest says the same it is the
 * same storage, with its connections.
 * @param open does not touch it yet; may throw UsageError and ConfigurationInvalid
 * @returns a function that throws ManifestInvalid for a location that is none, or of this machine: no manifest of others
 *   is to make us write there; and what `CachedManifest` throws
 */
export function manifestStorage<M>(
  manifest: CachedManifest<M>,
  locate: (manifest: M) => ManifestLocation,
  open: (location: string, identity: string | undefined) => Storage,
): () => Promise<Storage> {
  let last: { readonly place: string; readonly storage: Storage } | undefined;
  return async () => {
    const held = await manifest.get();
    const { field, location, identity } = locate(held.manifest);
    const place = JSON.stringify([location, identity]);
    if (last?.place === place) return last.storage;
    if (!/^(?:gs|s3):\/\//.test(location)) {
      throw new ManifestInvalid(`${held.url}: ${field} is neither gs:// nor s3://`);
    }
    try {
      last = { place, storage: open(location, identity) };
    } catch (cause) {
      if (!(cause instanceof UsageError) && !(cause instanceof ConfigurationInvalid)) throw cause;
      throw new ManifestInvalid(`${held.url}: ${field} cannot be opened`, { cause });
    }
    return last.storage;
  };
}
