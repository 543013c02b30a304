import type { AuthClient, GoogleAuth } from 'google-auth-library';
import { ConfigurationInvalid } from '../../errors.ts';
import { credentialFailure } from './failures.ts';

const E_MAIL = /^[^\s@]+@[^\s@]+$/;

/** To call the IAM Credentials API as whoever we are. */
const SOURCE_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** What the token of the service account is for: all that backends do. */
const TARGET_SCOPES = [
  'https://www.googleapis.com/auth/devstorage.read_write',
  'https://www.googleapis.com/auth/pubsub',
];
/** The longest that Google grants without an exception in the organisation's policy. */
const LIFETIME_S = 3600;

const accounts = new Map<string, Promise<AuthClient>>();

/**
 * A client of google-auth-library 9 that acts as the service account with the e-mail address `identity`, impersonated
 * by the ambient identity (Application Default Credentials). It renews its token by itself, and then may throw
 * `PermissionDenied`, or an error without a code if Google failed or could not be reached.
 * @returns one client for each account; `undefined` without identity: Google's libraries then find the ambient one
 * @throws ConfigurationInvalid if `identity` is no e-mail address, PermissionDenied if there is no ambient identity
 */
export async function googleCredentials(identity: string | undefined): Promise<AuthClient | undefined> {
  if (identity === undefined) return undefined;
  if (!E_MAIL.test(identity)) {
    throw new ConfigurationInvalid(
      `${JSON.stringify(identity)} is no Google service account: give its e-mail address, like name@project.iam.gserviceaccount.com`,
    );
  }
  const known = accounts.get(identity);
  if (known) return known;
  const client = impersonate(identity);
  accounts.set(identity, client);
  client.catch(() => accounts.delete(identity));
  return client;
}

async function impersonate(email: string): Promise<AuthClient> {
  const { GoogleAuth, Impersonated } = await import('google-auth-library');

  class ServiceAccount extends Impersonated {
    // Google's class asks for a token of its own for each request that finds none.
    readonly #refreshOnce = onceAtATime(() => super.refreshToken());

    // No return type, as the library does not export it.
    protected override async refreshToken() {
      try {
        return await this.#refreshOnce();
      } catch (err) {
        const wayOut = 'grant the ambient identity roles/iam.serviceAccountTokenCreator on it';
        throw credentialFailure({ what: `cannot impersonate ${email}`, wayOut }, err);
      }
    }
  }

  const sourceClient = await ambientClient(new GoogleAuth({ scopes: SOURCE_SCOPE }), email);
  return new ServiceAccount({
    sourceClient,
    targetPrincipal: email,
    targetScopes: TARGET_SCOPES,
    lifetime: LIFETIME_S,
  });
}

async function ambientClient(auth: GoogleAuth, email: string): Promise<AuthClient> {
  try {
    return await auth.getClient();
  } catch (err) {
    const wayOut =
      'it is impersonated by the ambient identity, and there is none: set up Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS';
    throw credentialFailure({ what: `cannot impersonate ${email}`, wayOut }, err);
  }
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
