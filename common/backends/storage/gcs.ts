import { ConfigurationInvalid } from '../../errors.ts';
import type { Storage } from '../../ports/storage.ts';
import { checkCredentials } from '../credentials/settings.ts';
import { deferredStorage } from './deferred.ts';
import type { GcsClient } from './gcs-client.ts';
import { parseGcsLocation } from './gcs-location.ts';
import type { StorageSettings } from './settings.ts';

const SERVICE_ACCOUNT = /^[^\s@/:]+@[a-z0-9.-]+\.gserviceaccount\.com$/;

/**
 * A place in a bucket of Google Cloud Storage. Nothing is loaded or asked for before the first call.
 * @param location `gs://bucket[/prefix]`
 * @param client for tests
 * @returns `undefined` if the location is of another form
 * @throws ConfigurationInvalid if it names a region, the identity is no service account's e-mail address, or there are both
 *   a key file and a workload identity pool
 */
export function openGcs(
  location: string,
  settings: StorageSettings,
  client?: () => Promise<GcsClient>,
): Storage | undefined {
  const parsed = parseGcsLocation(location);
  if (!parsed) return undefined;
  const { identity, onRequest = () => {} } = settings;
  checkCredentials(settings);
  if (identity !== undefined && !SERVICE_ACCOUNT.test(identity)) {
    throw new ConfigurationInvalid(
      `${JSON.stringify(identity)} cannot be the identity for ${parsed.url}: give the e-mail address of a service account, like name@project.iam.gserviceaccount.com`,
    );
  }
  return deferredStorage(parsed.url, async () => {
    const { GcsStorage } = await import('./gcs-storage.ts');
    const { GcsBucket } = await import('./gcs-bucket.ts');
    const { sharedGcsClient } = await import('./gcs-client.ts');
    return new GcsStorage(new GcsBucket(parsed, client ?? (() => sharedGcsClient(settings))), onRequest);
  });
}
