import type { AuthClient } from 'google-auth-library';
import { googleSource, type GoogleServices } from './google-source.ts';
import { impersonated } from './google-impersonated.ts';
import { checkServiceAccount, googleCredentialsKey, type Credentials } from './settings.ts';

/** What tokens are for: all that backends do. */
const SCOPES = ['https://www.googleapis.com/auth/devstorage.read_write', 'https://www.googleapis.com/auth/pubsub'];

const clients = new Map<string, Promise<AuthClient>>();

/**
 * A client of google-auth-library 9 for Google's storage and queues. It acts as the account of the key file, as the
 * ambient identity of AWS by a workload identity pool, or as the ambient identity of Google; with `identity`, as the
 * service account with that e-mail address, which it impersonates as one of those. It renews its token by itself, and
 * then may throw `PermissionDenied`, or an error without a code if Google failed or could not be reached.
 * @param services for tests
 * @returns one client for each distinct settings; `undefined` without any: Google's libraries then find the ambient one
 * @throws ConfigurationInvalid if `identity` is no e-mail address, for a key file or pool that cannot be, or both;
 *   PermissionDenied if there is no identity to impersonate with
 */
export async function googleCredentials(
  settings: Credentials,
  services: GoogleServices = {},
): Promise<AuthClient | undefined> {
  const { identity, gcpKeyFile, gcpWorkloadIdentityPoolProvider } = settings;
  if (identity !== undefined) checkServiceAccount(identity);
  const source = googleSource(settings, services);
  if ((identity ?? gcpKeyFile ?? gcpWorkloadIdentityPoolProvider) === undefined) return undefined;
  const key = googleCredentialsKey(settings);
  const known = clients.get(key);
  if (known) return known;
  const client = identity === undefined ? source.open(SCOPES) : impersonated(identity, source, SCOPES, services);
  clients.set(key, client);
  client.catch(() => clients.delete(key));
  return client;
}
