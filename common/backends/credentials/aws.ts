import type { fromTokenFile, fromWebToken } from '@aws-sdk/credential-providers';
import { credentialFailure } from './failures.ts';
import { googleIdTokens } from './google-id-token.ts';
import type { GoogleServices } from './google-source.ts';
import { awsCredentialsKey, checkAwsIdentity, type Credentials } from './settings.ts';

/** As clients of the AWS SDK take it: `new S3Client({ credentials })`. */
export type AwsCredentialProvider = ReturnType<typeof fromWebToken>;

type Client = Parameters<AwsCredentialProvider>[0];
type WebIdentity = Parameters<
  NonNullable<NonNullable<Parameters<typeof fromTokenFile>[0]>['roleAssumerWithWebIdentity']>
>[0];

/** The audience that AWS knows Google's clusters by; a role's trust policy names it. */
const GOOGLE_AUDIENCE = 'sts.amazonaws.com/gke-identity-federation';

/** For the audit log of the account, unless AWS_ROLE_SESSION_NAME says otherwise. */
const SESSION_NAME = 'data-share-processor';
/** What the SDK calls a session that has no name. */
const UNNAMED_SESSION = /^aws-sdk-js-session-\d+$/;

/**
 * For how long clients are handed what one of them has got: they start, and therefore renew, at about the same time.
 * Far less than the 15 minutes that a session lives at least. How long it is good for each client sees by itself.
 */
const SHARED_MS = 60_000;

const providers = new Map<string, AwsCredentialProvider>();

/**
 * Credentials for clients of AWS, by the first that holds:
 * 1. `useDefaultAwsProvider`: as the SDK finds them, whatever `identity` is.
 * 2. `identity`: of the role with that ARN, assumed with a web identity: a Google ID token of the service account to
 *    impersonate; without one, the Kubernetes token in AWS_WEB_IDENTITY_TOKEN_FILE; where there is none either, a
 *    Google ID token of the ambient identity.
 * 3. `useDefaultAwsProvider` is `false`: of the role that Kubernetes gives the pod (AWS_WEB_IDENTITY_TOKEN_FILE and
 *    AWS_ROLE_ARN); where there is none, as the SDK finds them.
 * 4. As the SDK finds them.
 *
 * Nothing is loaded or asked for before a client wants to sign; clients keep what they get until it is about to expire.
 * STS is asked in the client's region, or where AWS_ENDPOINT_URL_STS says. The provider throws `PermissionDenied` if
 * the role may not be assumed, an error without a code if STS failed or could not be reached.
 * @param services for tests
 * @returns one provider for each distinct settings; `undefined` where the SDK finds them by itself
 * @throws ConfigurationInvalid if `identity` is no ARN of a role, or the service account no e-mail address
 */
export function awsCredentials(
  settings: Credentials,
  services: GoogleServices = {},
): AwsCredentialProvider | undefined {
  checkAwsIdentity(settings);
  const { identity, useDefaultAwsProvider } = settings;
  if (useDefaultAwsProvider ?? identity === undefined) return undefined;
  const key = awsCredentialsKey(settings);
  const make = (): AwsCredentialProvider =>
    shared(identity === undefined ? ofThePod(settings) : assumeRole(identity, settings, services));
  const provider = providers.get(key) ?? make();
  providers.set(key, provider);
  return provider;
}

/** The same answer for clients that ask at about the same time. */
function shared(provider: AwsCredentialProvider): AwsCredentialProvider {
  let answer: ReturnType<AwsCredentialProvider> | undefined;
  const forget = (): void => {
    answer = undefined;
  };
  return (client) => {
    if (answer) return answer;
    answer = provider(client);
    answer.then(() => setTimeout(forget, SHARED_MS).unref(), forget);
    return answer;
  };
}

/** Row 3 of `awsCredentials`. */
function ofThePod({ awsSessionName }: Credentials): AwsCredentialProvider {
  // It keeps what it has found.
  let ambient: AwsCredentialProvider | undefined;
  return async (client) => {
    const ofKubernetes = await byKubernetesToken({ sessionName: awsSessionName }, client);
    if (ofKubernetes) return ofKubernetes;
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    ambient ??= fromNodeProviderChain();
    return ambient(client);
  };
}

/** Row 2 of `awsCredentials`. */
function assumeRole(roleArn: string, settings: Credentials, services: GoogleServices): AwsCredentialProvider {
  const { awsSessionName: sessionName } = settings;
  const idToken = googleIdTokens(settings, services);
  return async (client) => {
    if (settings.gcpServiceAccountToImpersonate === undefined) {
      const ofKubernetes = await byKubernetesToken({ roleArn, sessionName }, client);
      if (ofKubernetes) return ofKubernetes;
    }
    return exchange(roleArn, sessionName ?? SESSION_NAME, await idToken(GOOGLE_AUDIENCE), client);
  };
}

/**
 * The role, or that in AWS_ROLE_ARN, assumed with the token in AWS_WEB_IDENTITY_TOKEN_FILE.
 * @returns `undefined` where these variables are not set
 */
async function byKubernetesToken(
  { roleArn, sessionName }: { readonly roleArn?: string; readonly sessionName: string | undefined },
  client: Client,
): Promise<Awaited<ReturnType<AwsCredentialProvider>> | undefined> {
  const { fromTokenFile } = await import('@aws-sdk/credential-providers');
  const role = roleArn === undefined ? {} : { roleArn };
  const roleAssumerWithWebIdentity = (identity: WebIdentity): ReturnType<AwsCredentialProvider> => {
    const isNamed = !UNNAMED_SESSION.test(identity.RoleSessionName);
    const name = sessionName ?? (isNamed ? identity.RoleSessionName : SESSION_NAME);
    return exchange(identity.RoleArn, name, identity.WebIdentityToken, client);
  };
  try {
    return await fromTokenFile({ ...role, roleAssumerWithWebIdentity })(client);
  } catch (err) {
    if (isUnconfigured(err)) return undefined;
    const what = `cannot assume ${roleArn ?? 'the role in AWS_ROLE_ARN'}`;
    const wayOut = 'AWS_WEB_IDENTITY_TOKEN_FILE must name a token that this process may read';
    throw credentialFailure({ what, wayOut }, err);
  }
}

async function exchange(
  roleArn: string,
  roleSessionName: string,
  webIdentityToken: string,
  client: Client,
): ReturnType<AwsCredentialProvider> {
  const { fromWebToken } = await import('@aws-sdk/credential-providers');
  try {
    return await fromWebToken({ roleArn, roleSessionName, webIdentityToken })(client);
  } catch (err) {
    const wayOut = "the role's trust policy must admit this identity: its provider, subject and audience";
    throw credentialFailure({ what: `cannot assume ${roleArn}`, wayOut }, err, [webIdentityToken]);
  }
}

/** What `fromTokenFile` throws if there is no such variable; failures to assume the role have our names by then. */
function isUnconfigured(err: unknown): boolean {
  return err instanceof Error && err.name === 'CredentialsProviderError';
}
