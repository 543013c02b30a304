import type { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { AuthClient, AwsSecurityCredentialsSupplier } from 'google-auth-library';
import { ConfigurationInvalid } from '../../errors.ts';
import { credentialFailure } from './failures.ts';

const PROVIDER =
  /^(?:(?:https:)?\/\/iam\.googleapis\.com\/)?(projects\/[^/\s]+\/locations\/[^/\s]+\/workloadIdentityPools\/[^/\s]+\/providers\/[^/\s]+)$/;

/** What the identity is proved by: a signed request to AWS, which Google makes. RFC 8693, section 3. */
const SUBJECT_TOKEN_TYPE = 'urn:ietf:params:aws:token-type:aws4_request';
/** Where a machine of AWS does not say which it is in: its STS takes the credentials of all. */
const DEFAULT_REGION = 'us-east-1';

/**
 * A client that is the ambient identity of AWS (the SDK's default chain) at Google, by a workload identity pool. Whom
 * AWS knows is asked for only as a token is needed.
 * @param provider `//iam.googleapis.com/projects/…/providers/…`, also without its first part
 * @param tokenUrl instead of Google's, for tests
 * @throws ConfigurationInvalid for a provider of another form
 */
export async function googleFromAws(
  provider: string,
  scopes: readonly string[],
  tokenUrl: string | undefined,
): Promise<AuthClient> {
  const audience = audienceOf(provider);
  const { AwsClient } = await import('google-auth-library');
  const ambient = ambientAws();

  class FromAws extends AwsClient {
    #secrets: readonly string[] = [];

    override async retrieveSubjectToken(): Promise<string> {
      const token = await super.retrieveSubjectToken();
      this.#secrets = [token, decodeURIComponent(token)];
      return token;
    }

    // No return type, as the library does not export it.
    protected override async refreshAccessTokenAsync() {
      try {
        return await super.refreshAccessTokenAsync();
      } catch (err) {
        const wayOut =
          'this process needs AWS credentials (a role of the pod, AWS_PROFILE or AWS_ACCESS_KEY_ID), and the pool has to admit them';
        throw credentialFailure({ what: `cannot get a Google token by ${audience}`, wayOut }, err, this.#secrets);
      }
    }
  }

  return new FromAws({
    type: 'external_account',
    audience,
    subject_token_type: SUBJECT_TOKEN_TYPE,
    aws_security_credentials_supplier: ambient,
    scopes: [...scopes],
    ...(tokenUrl === undefined ? {} : { token_url: tokenUrl }),
  });
}

/** @throws ConfigurationInvalid */
export function audienceOf(provider: string): string {
  const path = PROVIDER.exec(provider)?.[1];
  if (path !== undefined) return `//iam.googleapis.com/${path}`;
  throw new ConfigurationInvalid(
    `--gcp-workload-identity-pool-provider ${JSON.stringify(provider)} is no provider: give its full name, like //iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/aws`,
  );
}

/** The SDK's default chain keeps what it has found until that is about to expire. */
function ambientAws(): AwsSecurityCredentialsSupplier {
  let chain: ReturnType<typeof fromNodeProviderChain> | undefined;
  return {
    getAwsRegion: ambientRegion,
    getAwsSecurityCredentials: async () => {
      const library = await import('@aws-sdk/credential-providers');
      chain ??= library.fromNodeProviderChain();
      const { accessKeyId, secretAccessKey, sessionToken } = await chain();
      return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { token: sessionToken }) };
    },
  };
}

/** As clients of the SDK find it: from the environment, or a profile. */
async function ambientRegion(): Promise<string> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({});
  try {
    return await client.config.region();
  } catch {
    return DEFAULT_REGION;
  } finally {
    client.destroy();
  }
}
