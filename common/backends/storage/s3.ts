import type { Storage } from '../../ports/storage.ts';
import { awsCredentialsKey, checkAwsIdentity } from '../credentials/settings.ts';
import { deferredStorage } from './deferred.ts';
import type { S3Connection } from './s3-client.ts';
import { parseS3Location } from './s3-location.ts';
import type { StorageSettings } from './settings.ts';

/**
 * The storage at `s3://region/bucket[/prefix]`. All storages of a process that share region and credentials
 * share connections, too.
 * @returns `undefined` if the location is not of the form
 * @throws ConfigurationInvalid if the identity is no role
 */
export function openS3(location: string, settings: StorageSettings): Storage | undefined {
  const parsed = parseS3Location(location);
  if (!parsed) return undefined;
  checkAwsIdentity(settings);
  return deferredStorage(parsed.url, async () => {
    const { awsCredentials } = await import('../credentials/aws.ts');
    const { sharedS3 } = await import('./s3-client.ts');
    const { S3Requests } = await import('./s3-requests.ts');
    const { S3Storage } = await import('./s3-storage.ts');
    const credentials = awsCredentials(settings);
    const connect = (): Promise<S3Connection> => sharedS3(parsed.region, awsCredentialsKey(settings), credentials);
    return new S3Storage(parsed, new S3Requests(connect, settings.onRequest));
  });
}
