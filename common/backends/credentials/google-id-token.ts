import { credentialFailure } from './failures.ts';

/**
 * Tells somebody else than Google who we are: a new ID token of the ambient identity (Application Default Credentials,
 * on GKE the metadata server).
 * @param audience for whom it is
 * @throws PermissionDenied if there is no ambient identity, or one that cannot have ID tokens
 */
export async function googleIdToken(audience: string): Promise<string> {
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
