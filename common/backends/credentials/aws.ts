import type { AwsCredentialIdentityProvider } from '@smithy/types';

/** To come. */
export function awsCredentials(_identity: string | undefined): AwsCredentialIdentityProvider | undefined {
  return undefined;
}
