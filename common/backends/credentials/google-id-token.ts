import type { IdTokenProvider } from 'google-auth-library';
import { credentialFailure } from './failures.ts';
import { impersonated } from './google-impersonated.ts';
import { googleSource, type GoogleServices } from './google-source.ts';
import type { Credentials } from './settings.ts';

/** Gives a new token each time. */
export type GoogleIdTokens = (audience: string) => Promise<string>;

/**
 * Tells somebody else than Google who we are, by ID tokens for an audience: of the service account to impersonate, if
 * `settings` have one, else of the ambient identity (Application Default Credentials, on GKE the metadata server).
 *
 * The function throws PermissionDenied if there is no such identity, or one that cannot have ID tokens.
 * @param services for tests
 */
export function googleIdTokens(settings: Credentials, services: GoogleServices): GoogleIdTokens {
  const { gcpServiceAccountToImpersonate: email } = settings;
  if (email === undefined) return ambientIdToken;
  let client: Promise<IdTokenProvider> | undefined;
  return async (audience) => {
    client ??= impersonated(email, googleSource(settings, services), [], services);
    client.catch(() => {
      client = undefined;
    });
    return (await client).fetchIdToken(audience);
  };
}

async function ambientIdToken(audience: string): Promise<string> {
  try {
    const { GoogleAuth } = await import('google-auth-library');
    const { idTokenProvider } = await new GoogleAuth().getIdTokenClient(audience);
    return await idTokenProvider.fetchIdToken(audience);
  } catch (err) {
    const wayOut =
      'run as a Google service account (on GKE: Workload Identity), or mount a Kubernetes token and set AWS_WEB_IDENTITY_TOKEN_FILE';
    throw credentialFailure({ what: `no Google ID token for ${audience}`, wayOut }, err);
  }
}
