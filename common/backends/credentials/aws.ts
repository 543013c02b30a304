import type { fromTokenFile, fromWebToken } from '@aws-sdk/credential-providers';
import { ConfigurationInvalid } from '../../errors.ts';
import { credentialFailure } from './failures.ts';
import { googleIdToken } from './google-id-token.ts';

/** As clients of the AWS SDK take it: `new S3Client({ credentials })`. */
export type AwsCredentialProvider = ReturnType<typeof fromWebToken>;

type Client = Parameters<AwsCredentialProvider>[0];
type WebIdentity = Parameters<
  NonNullable<NonNullable<Parameters<typeof fromTokenFile>[0]>['roleAssumerWithWebIdentity']>
>[0];

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;

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

const roles = new Map<string, AwsCredentialProvider>();

/**
 * Credentials of the role with the ARN `identity`, assumed with a web identity: the Kubernetes token in
 * AWS_WEB_IDENTITY_TOKEN_FILE or, where there is none, a Google ID token of the ambient identity. Nothing is loaded or
 * asked for before a client wants to sign; clients keep what they get until it is about to expire.
 *
 * STS is asked in the client's region, or where AWS_ENDPOINT_URL_STS says. The provider throws `PermissionDenied` if
 * the role may not be assumed, an error without a code if STS failed or could not be reached.
 * @returns one provider for each role; `undefined` without identity: the SDK then finds the ambient one by itself
 * @throws ConfigurationInvalid if `identity` is no ARN of a role
 */
export function awsCredentials(identity: string | undefined): AwsCredentialProvider | undefined {
  if (identity === undefined) return undefined;
  if (!ROLE_ARN.test(identity)) {
    throw new ConfigurationInvalid(
      `${JSON.stringify(identity)} is no AWS role: give an ARN, like arn:aws:iam::123456789012:role/name`,
    );
  }
  const provider = roles.get(identity) ?? shared((client) => assumeRole(identity, client));
  roles.set(identity, provider);
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

async function assumeRole(roleArn: string, client: Client): ReturnType<AwsCredentialProvider> {
  const { fromTokenFile } = await import('@aws-sdk/credential-providers');
  try {
    const roleAssumerWithWebIdentity = (identity: WebIdentity): ReturnType<AwsCredentialProvider> => {
      const isNamed = !UNNAMED_SESSION.test(identity.RoleSessionName);
      const sessionName = isNamed ? identity.RoleSessionName : SESSION_NAME;
      return exchange(roleArn, sessionName, identity.WebIdentityToken, client);
    };
    return await fromTokenFile({ roleArn, roleAssumerWithWebIdentity })(client);
  } catch (err) {
    if (!isUnconfigured(err)) {
      const wayOut = 'AWS_WEB_IDENTITY_TOKEN_FILE must name a token that this process may read';
      throw credentialFailure({ what: `cannot assume ${roleArn}`, wayOut }, err);
    }
  }
  return exchange(roleArn, SESSION_NAME, await googleIdToken(GOOGLE_AUDIENCE), client);
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
