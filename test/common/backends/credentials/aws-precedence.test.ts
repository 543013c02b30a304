import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { awsCredentials } from '../../../../common/backends/credentials/aws.ts';
import type { GoogleServices } from '../../../../common/backends/credentials/google-source.ts';
import type { Credentials } from '../../../../common/backends/credentials/settings.ts';
import { openStorage } from '../../../../common/backends/storage/open.ts';
import { ConfigurationInvalid, PermissionDenied } from '../../../../common/errors.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from './environment.ts';
import { scriptedServer, type ScriptedServer, type Seen } from './scripted-server.ts';
import {
  awsSts,
  expectNoSecrets,
  failureOf,
  formOf,
  iamCredentials,
  ID_TOKEN,
  json,
  metadataServer,
} from './scripted-services.ts';

const directory = temporaryDirectory();
afterEach(() => {
  vi.unstubAllEnvs();
});

const KUBERNETES_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJl';
const POD_ROLE = 'arn:aws:iam::123456789012:role/pod';
const ACCOUNT = 'peer@project.iam.gserviceaccount.com';

let serial = 0;
/** Others each time, as there is one provider for each distinct settings in a process. */
const newRole = (): string => `arn:aws:iam::123456789012:role/precedence-${++serial}`;
const newSession = (): string => `session-${++serial}`;

const AMBIENT_KEY = { AWS_ACCESS_KEY_ID: 'AMBIENT', AWS_SECRET_ACCESS_KEY: 'ambient-secret' };

interface Services extends AsyncDisposable {
  readonly sts: ScriptedServer;
  readonly iam: ScriptedServer;
  readonly metadata: ScriptedServer;
  readonly google: GoogleServices;
}

/** All services, and the environment of a pod that could be anybody by each of them. */
async function everything(variables: Readonly<Record<string, string>> = {}): Promise<Services> {
  const [sts, iam, metadata] = await Promise.all([awsSts(), iamCredentials(), metadataServer()]);
  vendorEnvironment(directory(), {
    METADATA_SERVER_DETECTION: 'assume-present',
    GCE_METADATA_HOST: metadata.host,
    AWS_ENDPOINT_URL_STS: sts.url,
    AWS_REGION: 'eu-west-1',
    ...AMBIENT_KEY,
    ...variables,
  });
  return {
    sts,
    iam,
    metadata,
    google: { iamCredentials: iam.url },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([sts, iam, metadata].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

/** The variables that Kubernetes on AWS gives a pod that has a role. */
function ofKubernetes(): Record<string, string> {
  const tokenFile = join(directory(), 'token');
  writeFileSync(tokenFile, KUBERNETES_TOKEN);
  return { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: POD_ROLE, AWS_ROLE_SESSION_NAME: 'pod-1' };
}

/** The access key id, and what it was got by, of a request that a client with these settings signs. */
async function signer(settings: Credentials, google: GoogleServices = {}): Promise<string | undefined> {
  await using bucket = await scriptedServer(() => ({ body: '' }));
  const credentials = awsCredentials(settings, google);
  const client = new S3Client({
    region: 'eu-central-1',
    endpoint: bucket.url,
    forcePathStyle: true,
    ...(credentials ? { credentials } : {}),
  });
  await client.send(new HeadBucketCommand({ Bucket: 'b' }));
  client.destroy();
  return keyIdOf(bucket.seen[0]);
}

const keyIdOf = (request: Seen | undefined): string | undefined =>
  /Credential=([^/]+)\//.exec(String(request?.headers['authorization']))?.[1];

describe('a bucket in the other cloud', () => {
  it('is written to from GKE as the role, for its owner to read', async () => {
    await using bucket = await scriptedServer(() => ({ headers: { ETag: '"0123456789abcdef"' }, body: '' }));
    await using services = await everything({ AWS_ENDPOINT_URL_S3: bucket.url });
    const storage = openStorage('s3://eu-central-1/peer', { identity: newRole(), useDefaultAwsProvider: false });
    await storage.put('a/1', Buffer.from('one'));
    await storage.put('a/2', Buffer.from('two'));
    const puts = bucket.seen.filter(({ method }) => method === 'PUT');
    expect(puts.map((put) => [keyIdOf(put), put.headers['x-amz-acl']])).toEqual([
      ['KEYID1', 'bucket-owner-full-control'],
      ['KEYID1', 'bucket-owner-full-control'],
    ]);
    expect([services.sts.seen.length, services.metadata.seen.length]).toEqual([1, 1]);
  });
});

describe('credentials at AWS', () => {
  it('are those of the default chain if that is asked for, whatever the identity is', async () => {
    await using services = await everything(ofKubernetes());
    const settings = { useDefaultAwsProvider: true, gcpServiceAccountToImpersonate: ACCOUNT };
    expect(await signer({ ...settings, identity: newRole() }, services.google)).toBe('AMBIENT');
    expect(await signer({ ...settings, identity: 'no role at all' }, services.google)).toBe('AMBIENT');
    expect([services.sts.seen, services.iam.seen, services.metadata.seen]).toEqual([[], [], []]);
  });

  it('are those of the role, assumed as the ambient account of Google', async () => {
    await using services = await everything();
    const identity = newRole();
    const awsSessionName = newSession();
    const settings = { identity, useDefaultAwsProvider: false, awsSessionName };
    expect(await signer(settings, services.google)).toBe('KEYID1');
    expect(services.metadata.seen.map(({ path }) => path)).toEqual([
      expect.stringContaining('/default/identity?format=full&audience=sts.amazonaws.com/gke-identity-federation'),
    ]);
    expect(services.sts.seen.map(formOf)).toEqual([
      expect.objectContaining({ RoleArn: identity, RoleSessionName: awsSessionName, WebIdentityToken: ID_TOKEN }),
    ]);
    expect(services.iam.seen).toEqual([]);
  });

  it('are those of the role, assumed as the account to impersonate, even with a Kubernetes token', async () => {
    await using services = await everything(ofKubernetes());
    const identity = newRole();
    const settings = { identity, useDefaultAwsProvider: false, gcpServiceAccountToImpersonate: ACCOUNT };
    expect(await signer(settings, services.google)).toBe('KEYID1');
    expect(services.iam.seen).toMatchObject([
      {
        method: 'POST',
        path: `/v1/projects/-/serviceAccounts/${ACCOUNT}:generateIdToken`,
        headers: { authorization: 'Bearer ya29.ambient' },
      },
    ]);
    expect(JSON.parse(services.iam.seen[0]?.body ?? '')).toMatchObject({
      audience: 'sts.amazonaws.com/gke-identity-federation',
      includeEmail: true,
    });
    expect(services.sts.seen.map(formOf)).toEqual([
      expect.objectContaining({
        RoleArn: identity,
        RoleSessionName: 'data-share-processor',
        WebIdentityToken: ID_TOKEN,
      }),
    ]);
  });

  it('are those of the role that Kubernetes gives the pod, before those that the SDK would find', async () => {
    await using services = await everything(ofKubernetes());
    expect(await signer({ useDefaultAwsProvider: false, awsSessionName: newSession() })).toBe('KEYID1');
    expect(services.sts.seen.map(formOf)).toEqual([
      expect.objectContaining({ RoleArn: POD_ROLE, WebIdentityToken: KUBERNETES_TOKEN }),
    ]);
    expect(services.metadata.seen).toEqual([]);
  });

  it('are those that the SDK finds where there is nothing else', async () => {
    await using services = await everything();
    expect(await signer({ useDefaultAwsProvider: false, awsSessionName: newSession() })).toBe('AMBIENT');
    expect([services.sts.seen, services.metadata.seen]).toEqual([[], []]);
  });

  it('are got once for any number of clients with the same settings', async () => {
    await using services = await everything();
    const settings = { identity: newRole(), gcpServiceAccountToImpersonate: ACCOUNT };
    const keys = await Promise.all([1, 2, 3].map(() => signer({ ...settings }, services.google)));
    expect(keys).toEqual(['KEYID1', 'KEYID1', 'KEYID1']);
    expect(awsCredentials({ ...settings, gcpKeyFile: '/k' })).not.toBe(awsCredentials(settings));
    expect([services.sts.seen.length, services.iam.seen.length, services.metadata.seen.length]).toEqual([1, 1, 1]);
  });

  it('are refused to an account that is no e-mail address, before anything is asked', () => {
    const settings = { identity: newRole(), gcpServiceAccountToImpersonate: 'peer' };
    expect(() => awsCredentials(settings)).toThrow(ConfigurationInvalid);
  });

  it('are PermissionDenied where we may not impersonate, and asked for again the next time', async () => {
    await using services = await everything();
    let refused = true;
    await using iam = await scriptedServer(() =>
      refused ? json({ error: { code: 403, message: `no ${ID_TOKEN}` } }, 403) : json({ token: ID_TOKEN }),
    );
    const provider = awsCredentials(
      { identity: newRole(), gcpServiceAccountToImpersonate: ACCOUNT },
      { iamCredentials: iam.url },
    );
    const failure = await failureOf(provider!());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure.message).toBe(
      `cannot impersonate ${ACCOUNT}: grant the ambient identity roles/iam.serviceAccountTokenCreator on it`,
    );
    expectNoSecrets(failure, [ID_TOKEN]);
    refused = false;
    await expect(provider!()).resolves.toMatchObject({ accessKeyId: 'KEYID1' });
    expect(services.sts.seen).toHaveLength(1);
  });
});
