import { ConfigurationInvalid } from '../../errors.ts';

/**
 * Whom to be at a storage or a queue. Without any of these, the vendors' libraries find the ambient identity. Which of
 * them count where: docs/facilitator.md, "Credentials".
 */
export interface Credentials {
  /**
   * At AWS the ARN of a role to assume, at Google the e-mail address of a service account to impersonate. Backends of
   * this machine have none.
   */
  readonly identity?: string | undefined;
  /**
   * At AWS: `true` uses the SDK's default chain, whatever `identity` is; `false`, without identity, the role that
   * Kubernetes gives the pod (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN) before the rest of that chain. If not set, the
   * order is the SDK's.
   */
  readonly useDefaultAwsProvider?: boolean | undefined;
  /** E-mail address of the service account whose ID token assumes the role `identity`; default: the ambient one. */
  readonly gcpServiceAccountToImpersonate?: string | undefined;
  /** Path of a service account's key in JSON, to be that account at Google instead of the ambient identity. */
  readonly gcpKeyFile?: string | undefined;
  /** `//iam.googleapis.com/projects/…/providers/…`, to be the ambient identity of AWS at Google. */
  readonly gcpWorkloadIdentityPoolProvider?: string | undefined;
  /** Name of sessions of assumed roles; default: as AWS_ROLE_SESSION_NAME says with a Kubernetes token, else our own. */
  readonly awsSessionName?: string | undefined;
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const E_MAIL = /^[^\s@/:]+@[^\s@/:]+$/;

/** @throws ConfigurationInvalid for settings that exclude each other */
export function checkCredentials({ gcpKeyFile, gcpWorkloadIdentityPoolProvider }: Credentials): void {
  if (gcpKeyFile === undefined || gcpWorkloadIdentityPoolProvider === undefined) return;
  throw new ConfigurationInvalid(
    '--gcp-service-account-key-file and --gcp-workload-identity-pool-provider exclude each other: each says who we are at Google; give one',
  );
}

/** @throws ConfigurationInvalid */
export function checkServiceAccount(email: string): void {
  if (E_MAIL.test(email)) return;
  throw new ConfigurationInvalid(
    `${JSON.stringify(email)} is no Google service account: give its e-mail address, like name@project.iam.gserviceaccount.com`,
  );
}

/** @throws ConfigurationInvalid if AWS cannot be asked for that identity, where it counts; without asking anybody */
export function checkAwsIdentity(settings: Credentials): void {
  const { identity, useDefaultAwsProvider, gcpServiceAccountToImpersonate: account } = settings;
  if (identity === undefined || useDefaultAwsProvider === true) return;
  if (!ROLE_ARN.test(identity)) {
    throw new ConfigurationInvalid(
      `${JSON.stringify(identity)} is no AWS role: give an ARN, like arn:aws:iam::123456789012:role/name`,
    );
  }
  if (account === undefined) return;
  checkServiceAccount(account);
  checkCredentials(settings);
}

/** Equal exactly for settings with which AWS is asked for the same credentials. */
export function awsCredentialsKey(settings: Credentials): string {
  const { identity, useDefaultAwsProvider, gcpServiceAccountToImpersonate: account, awsSessionName } = settings;
  if (useDefaultAwsProvider === true) return '';
  if (identity === undefined) return useDefaultAwsProvider === undefined ? '' : JSON.stringify([awsSessionName]);
  const source = account === undefined ? [] : [account, googleCredentialsKey({ ...settings, identity: undefined })];
  return JSON.stringify([awsSessionName, identity, ...source]);
}

/** Equal exactly for settings with which Google is asked for the same credentials. */
export function googleCredentialsKey(settings: Credentials): string {
  const { identity, gcpKeyFile, gcpWorkloadIdentityPoolProvider } = settings;
  return JSON.stringify([identity, gcpKeyFile, gcpWorkloadIdentityPoolProvider]);
}
