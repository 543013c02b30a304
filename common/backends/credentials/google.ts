import type { AuthClient } from 'google-auth-library';

/** To come. */
export async function googleCredentials(_identity: string | undefined): Promise<AuthClient | undefined> {
  return undefined;
}
