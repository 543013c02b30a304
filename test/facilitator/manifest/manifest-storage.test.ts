import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { UsageError } from '../../../common/errors.ts';
import type { Storage } from '../../../common/ports/storage.ts';
import type { CachedManifest, HeldManifest } from '../../../facilitator/manifest/cached-manifest.ts';
import { manifestStorage, type ManifestLocation } from '../../../facilitator/manifest/manifest-storage.ts';
import { globalManifestUrl, specificManifestUrl, sumPartBucket } from '../../../facilitator/manifest/manifests.ts';

const URL = 'https://a.example/m.json';

type Said = Omit<ManifestLocation, 'field'>;

/** A storage by a manifest that says what `said` returns. */
function storageBy(said: () => Said): { readonly storage: () => Promise<Storage>; readonly opened: unknown[] } {
  const opened: unknown[] = [];
  const get = async (): Promise<HeldManifest<Said>> => ({ manifest: said(), url: URL, confirmedAtMs: 0 });
  // Nothing else of the cache is used.
  const manifest = { get } as CachedManifest<Said>;
  const locate = (manifest: Said): ManifestLocation => ({ field: 'peer-validation-bucket', ...manifest });
  const storage = manifestStorage(manifest, locate, (location, identity) => {
    if (location.endsWith('/')) throw new UsageError('no bucket');
    opened.push([location, identity]);
    return new MemoryStorage('named');
  });
  return { storage, opened };
}

describe('a storage that a manifest names', () => {
  it('is the same one while the manifest says the same, and another when it says so', async () => {
    let said: Said = { location: 'gs://a', identity: undefined };
    const { storage, opened } = storageBy(() => said);
    expect(await storage()).toBe(await storage());
    said = { location: 'gs://a', identity: 'me@b.c' };
    await storage();
    said = { location: 's3://r/b', identity: 'me@b.c' };
    await storage();
    expect(opened).toEqual([
      ['gs://a', undefined],
      ['gs://a', 'me@b.c'],
      ['s3://r/b', 'me@b.c'],
    ]);
  });

  it.each(['/var/lib/dsp', 'file:///etc', 'memory://x', 'gs:', 'relative', 'gs://'])(
    'is never %s',
    async (location) => {
      await expect(storageBy(() => ({ location, identity: undefined })).storage()).rejects.toMatchObject({
        code: 'E_MANIFEST',
        message: expect.stringContaining(`${URL}: peer-validation-bucket`) as string,
      });
    },
  );
});

describe('where manifests are', () => {
  it('does not depend on a slash at the end', () => {
    expect(globalManifestUrl('https://a.example/x')).toBe('https://a.example/x/global-manifest.json');
    expect(globalManifestUrl('https://a.example/x/')).toBe('https://a.example/x/global-manifest.json');
    expect(specificManifestUrl('https://a.example', 'us-ct')).toBe('https://a.example/us-ct-manifest.json');
    expect(specificManifestUrl('https://a.example', '../x')).toBe('https://a.example/..%2Fx-manifest.json');
  });

  it('and sum parts go depends on which server we are', () => {
    const manifest = { phaSumPartBucket: 'p', facilitatorSumPartBucket: 'f' };
    expect([sumPartBucket(manifest, 0), sumPartBucket(manifest, 1)]).toEqual(['p', 'f']);
  });
});
