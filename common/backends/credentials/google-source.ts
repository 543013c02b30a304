import type { AuthClient } from 'google-auth-library';
import { googleFromAws } from './google-from-aws.ts';
import { keyFileClient } from './google-key-file.ts';
import { checkCredentials, type Credentials } from './settings.ts';

/** Addresses instead of Google's, for tests. A key file names its own. */
export interface GoogleServices {
  readonly sts?: string;
  readonly iamCredentials?: string;
}

/** Who we are at Google before we are somebody else. */
export interface GoogleSource {
  /** For errors. */
  readonly name: string;
  /** A new client of it. */
  readonly open: (scopes: readonly string[]) => Promise<AuthClient>;
}

/**
 * As `settings` say: the account of a key file, the ambient identity of AWS by a workload identity pool, or the ambient
 * identity of Google (Application Default Credentials).
 * @throws ConfigurationInvalid if they say both
 */
export function googleSource(settings: Credentials, services: GoogleServices): GoogleSource {
  checkCredentials(settings);
  const { gcpKeyFile: path, gcpWorkloadIdentityPoolProvider: provider } = settings;
  if (path !== undefined) {
    return { name: `the account of ${path}`, open: (scopes) => keyFileClient(path, scopes) };
  }
  if (provider !== undefined) {
    const open = (scopes: readonly string[]): Promise<AuthClient> => googleFromAws(provider, scopes, services.sts);
    return { name: `the AWS identity in ${provider}`, open };
  }
  return { name: 'the ambient identity', open: ambientGoogle };
}

async function ambientGoogle(scopes: readonly string[]): Promise<AuthClient> {
  const { GoogleAuth } = await import('google-auth-library');
  return new GoogleAuth({ scopes: [...scopes] }).getClient();
}
