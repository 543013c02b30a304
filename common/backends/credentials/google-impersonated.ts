import type { AuthClient, Impersonated } from 'google-auth-library';
import { credentialFailure } from './failures.ts';
import type { GoogleServices, GoogleSource } from './google-source.ts';

/** To call the IAM Credentials API as whoever we are. */
const SOURCE_SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];
/** The longest that Google grants without an exception in the organisation's policy. */
const LIFETIME_S = 3600;

/**
 * A client that is the service account `email`, impersonated as `source`.
 * @throws PermissionDenied if there is no such source, or ConfigurationInvalid
 */
export async function impersonated(
  email: string,
  source: GoogleSource,
  scopes: readonly string[],
  { iamCredentials }: GoogleServices,
): Promise<Impersonated> {
  const { Impersonated: Library } = await import('google-auth-library');
  const sourceClient = await openSource(email, source);

  class ServiceAccount extends Library {
    // Google's class asks for a token of its own for each request that finds none.
    readonly #refreshOnce = onceAtATime(async () => {
      // Before the library, which rewrites the messages of errors that come out of it.
      await sourceClient.getAccessToken();
      return super.refreshToken();
    });

    // No return type, as the library does not export it.
    protected override async refreshToken() {
      try {
        return await this.#refreshOnce();
      } catch (err) {
        throw refused(email, source, err);
      }
    }

    override async fetchIdToken(...request: Parameters<Impersonated['fetchIdToken']>): Promise<string> {
      try {
        return await super.fetchIdToken(...request);
      } catch (err) {
        throw refused(email, source, err);
      }
    }
  }

  return new ServiceAccount({
    sourceClient,
    targetPrincipal: email,
    targetScopes: [...scopes],
    lifetime: LIFETIME_S,
    ...(iamCredentials === undefined ? {} : { endpoint: iamCredentials }),
  });
}

async function openSource(email: string, source: GoogleSource): Promise<AuthClient> {
  try {
    return await source.open(SOURCE_SCOPES);
  } catch (err) {
    const wayOut =
      'it is impersonated by the ambient identity, and there is none: set up Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS';
    throw credentialFailure({ what: `cannot impersonate ${email}`, wayOut }, err);
  }
}

function refused(email: string, { name }: GoogleSource, err: unknown): Error {
  const wayOut = `grant ${name} roles/iam.serviceAccountTokenCreator on it`;
  return credentialFailure({ what: `cannot impersonate ${email}`, wayOut }, err);
}

/** Whoever asks while an answer is under way gets that answer. */
function onceAtATime<T>(start: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= start().finally(() => {
      running = undefined;
    });
    return running;
  };
}
