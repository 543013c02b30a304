import { describe, expect, it } from 'vitest';
import {
  awsCredentialsKey,
  checkCredentials,
  checkServiceAccount,
  googleCredentialsKey,
  type Credentials,
} from '../../../../common/backends/credentials/settings.ts';
import { ConfigurationInvalid } from '../../../../common/errors.ts';

const ROLE = 'arn:aws:iam::123456789012:role/r';
const ACCOUNT = 'a@p.iam.gserviceaccount.com';

describe('credential settings', () => {
  it('have a key file or a workload identity pool, not both', () => {
    expect(() => checkCredentials({})).not.toThrow();
    expect(() => checkCredentials({ gcpKeyFile: '/k' })).not.toThrow();
    expect(() => checkCredentials({ gcpWorkloadIdentityPoolProvider: 'p' })).not.toThrow();
    const both = { gcpKeyFile: '/k', gcpWorkloadIdentityPoolProvider: 'p' };
    expect(() => checkCredentials(both)).toThrow(ConfigurationInvalid);
    expect(() => checkCredentials(both)).toThrow(
      '--gcp-service-account-key-file and --gcp-workload-identity-pool-provider exclude each other',
    );
  });

  it.each(['', 'a', 'a@b@c', 'a@b/c', 'a@b:generateIdToken', 'a b@c'])('have no service account %j', (email) => {
    expect(() => checkServiceAccount(email)).toThrow(ConfigurationInvalid);
  });
});

describe('the key of credentials', () => {
  it.each<[string, Credentials, Credentials]>([
    ['the default chain, whatever the identity is', { useDefaultAwsProvider: true, identity: ROLE }, {}],
    ['a role, whatever is for Google only', { identity: ROLE, gcpKeyFile: '/k' }, { identity: ROLE }],
    [
      'a role that is assumed, said in more words',
      { identity: ROLE, useDefaultAwsProvider: false },
      { identity: ROLE },
    ],
  ])('of AWS is one for %s', (_, a, b) => {
    expect(awsCredentialsKey(a)).toBe(awsCredentialsKey(b));
  });

  it.each<[string, Credentials, Credentials]>([
    ['roles', { identity: ROLE }, { identity: `${ROLE}2` }],
    ['the pod and the default chain', { useDefaultAwsProvider: false }, { useDefaultAwsProvider: true }],
    ['accounts that assume it', { identity: ROLE }, { identity: ROLE, gcpServiceAccountToImpersonate: ACCOUNT }],
    [
      'keys of who impersonates those accounts',
      { identity: ROLE, gcpServiceAccountToImpersonate: ACCOUNT, gcpKeyFile: '/a' },
      { identity: ROLE, gcpServiceAccountToImpersonate: ACCOUNT, gcpKeyFile: '/b' },
    ],
    ['names of sessions', { identity: ROLE, awsSessionName: 'a' }, { identity: ROLE, awsSessionName: 'b' }],
  ])('of AWS tells %s apart', (_, a, b) => {
    expect(awsCredentialsKey(a)).not.toBe(awsCredentialsKey(b));
  });

  it('of Google tells identity, key file and pool apart, and nothing else', () => {
    const settings: Credentials[] = [
      {},
      { identity: ACCOUNT },
      { gcpKeyFile: ACCOUNT },
      { gcpWorkloadIdentityPoolProvider: ACCOUNT },
      { identity: ACCOUNT, gcpKeyFile: '/k' },
    ];
    expect(new Set(settings.map(googleCredentialsKey)).size).toBe(settings.length);
    expect(googleCredentialsKey({ useDefaultAwsProvider: true, gcpServiceAccountToImpersonate: ACCOUNT })).toBe(
      googleCredentialsKey({}),
    );
  });
});
