import { afterEach, describe, expect, it, vi } from 'vitest';
import { audienceOf } from '../../../../common/backends/credentials/google-from-aws.ts';
import { googleCredentials } from '../../../../common/backends/credentials/google.ts';
import { ConfigurationInvalid, describeError, namedFailure, PermissionDenied } from '../../../../common/errors.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from './environment.ts';
import { expectNoSecrets, failureOf, formOf, iamCredentials, json, tokenEndpoint } from './scripted-services.ts';

const directory = temporaryDirectory();
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const AWS = {
  AWS_ACCESS_KEY_ID: 'AMBIENTKEY',
  AWS_SECRET_ACCESS_KEY: 'ambient-secret-key',
  AWS_SESSION_TOKEN: 'ambient-session-token',
};

let pools = 0;
/** Another one each time, as there is one client for each in a process. */
const newPool = (): string => `projects/1234/locations/global/workloadIdentityPools/pool-${++pools}/providers/aws`;

interface SubjectToken {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

/** What Google is given as proof. */
const proofOf = (form: Readonly<Record<string, string>>): SubjectToken =>
  JSON.parse(decodeURIComponent(form['subject_token'] ?? '')) as SubjectToken;

describe('the AWS identity of a workload identity pool', () => {
  it('is proved to Google by a signed request to AWS', async () => {
    vendorEnvironment(directory(), { ...AWS, AWS_REGION: 'eu-west-1' });
    await using sts = await tokenEndpoint();
    const pool = newPool();
    const client = await googleCredentials({ gcpWorkloadIdentityPoolProvider: pool }, { sts: `${sts.url}/v1/token` });
    await expect(client?.getAccessToken()).resolves.toMatchObject({ token: 'ya29.base-1' });
    expect(sts.seen).toMatchObject([{ method: 'POST', path: '/v1/token' }]);
    const form = formOf(sts.seen[0]!);
    expect(form).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: `//iam.googleapis.com/${pool}`,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
      scope: 'https://www.googleapis.com/auth/devstorage.read_write https://www.googleapis.com/auth/pubsub',
    });
    const proof = proofOf(form);
    expect(proof).toMatchObject({
      url: 'https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15',
      method: 'POST',
    });
    const headers = Object.fromEntries(proof.headers.map(({ key, value }) => [key.toLowerCase(), value]));
    expect(headers).toMatchObject({
      host: 'sts.eu-west-1.amazonaws.com',
      'x-amz-security-token': 'ambient-session-token',
      'x-goog-cloud-target-resource': `//iam.googleapis.com/${pool}`,
    });
    expect(headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 Credential=AMBIENTKEY\/\d{8}\/eu-west-1\/sts\//);
    expect(sts.seen[0]!.body).not.toContain('ambient-secret-key');
  });

  it('is proved in a region that takes the credentials of all where none is told', async () => {
    vendorEnvironment(directory(), AWS);
    await using sts = await tokenEndpoint();
    const client = await googleCredentials({ gcpWorkloadIdentityPoolProvider: newPool() }, { sts: sts.url });
    await client?.getAccessToken();
    expect(proofOf(formOf(sts.seen[0]!)).url).toMatch(/^https:\/\/sts\.us-east-1\.amazonaws\.com\?/);
  });

  it('has one client, which asks once for any number of requests, until the token expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vendorEnvironment(directory(), AWS);
    await using sts = await tokenEndpoint();
    const settings = { gcpWorkloadIdentityPoolProvider: newPool() };
    const client = await googleCredentials(settings, { sts: sts.url });
    await expect(googleCredentials({ ...settings })).resolves.toBe(client);
    const tokens = async (): Promise<unknown[]> =>
      (await Promise.all([1, 2, 3].map(() => client!.getAccessToken()))).map(({ token }) => token);
    expect(await tokens()).toEqual(Array(3).fill('ya29.base-1'));
    vi.setSystemTime(Date.now() + 56 * 60_000);
    expect(await tokens()).toEqual(Array(3).fill('ya29.base-2'));
    expect(sts.seen).toHaveLength(2);
  });

  it('impersonates the identity', async () => {
    vendorEnvironment(directory(), AWS);
    await using sts = await tokenEndpoint();
    await using iam = await iamCredentials();
    const identity = 'peer@project.iam.gserviceaccount.com';
    const client = await googleCredentials(
      { identity, gcpWorkloadIdentityPoolProvider: newPool() },
      { sts: sts.url, iamCredentials: iam.url },
    );
    await expect(client?.getAccessToken()).resolves.toMatchObject({ token: 'ya29.target-1' });
    expect(formOf(sts.seen[0]!)).toMatchObject({ scope: 'https://www.googleapis.com/auth/cloud-platform' });
    expect(iam.seen).toMatchObject([
      {
        path: `/v1/projects/-/serviceAccounts/${identity}:generateAccessToken`,
        headers: { authorization: 'Bearer ya29.base-1' },
      },
    ]);
  });

  it('that Google refuses is PermissionDenied, without the proof that it repeats', async () => {
    vendorEnvironment(directory(), AWS);
    let proof = '';
    await using sts = await tokenEndpoint(() => {
      proof = formOf(sts.seen.at(-1)!)['subject_token'] ?? '';
      return json({ error: 'invalid_grant', error_description: `no such ${proof} ${decodeURIComponent(proof)}` }, 400);
    });
    const pool = newPool();
    const client = await googleCredentials({ gcpWorkloadIdentityPoolProvider: pool }, { sts: sts.url });
    const failure = await failureOf(client!.getAccessToken());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(describeError(failure)).toMatch(
      new RegExp(
        `^cannot get a Google token by //iam.googleapis.com/${pool}: .* the pool has to admit them: .*invalid_grant`,
      ),
    );
    expectNoSecrets(failure, [proof, ...Object.values(AWS)]);
  });

  it('that is missing is PermissionDenied, before Google is asked', async () => {
    vendorEnvironment(directory());
    await using sts = await tokenEndpoint();
    const client = await googleCredentials({ gcpWorkloadIdentityPoolProvider: newPool() }, { sts: sts.url });
    const failure = await failureOf(client!.getAccessToken());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure.message).toContain('this process needs AWS credentials');
    expect(sts.seen).toEqual([]);
  });

  it('for now, as Google cannot be reached, is left to the backend to name', async () => {
    vendorEnvironment(directory(), AWS);
    const sts = await tokenEndpoint();
    const client = await googleCredentials({ gcpWorkloadIdentityPoolProvider: newPool() }, { sts: sts.url });
    await sts[Symbol.asyncDispose]();
    const failure = await failureOf(client!.getAccessToken());
    expect(namedFailure(failure)).toBeUndefined();
    expectNoSecrets(failure, Object.values(AWS));
  });
});

describe('the provider of a pool', () => {
  const PATH = 'projects/1234/locations/global/workloadIdentityPools/p/providers/aws';

  it.each([PATH, `//iam.googleapis.com/${PATH}`, `https://iam.googleapis.com/${PATH}`])('may be %s', (provider) => {
    expect(audienceOf(provider)).toBe(`//iam.googleapis.com/${PATH}`);
  });

  it.each(['', 'pool', `/${PATH}`, `${PATH}/x`, `//example.com/${PATH}`, PATH.replace('providers', 'subjects')])(
    'cannot be %j',
    (provider) => {
      expect(() => audienceOf(provider)).toThrow(ConfigurationInvalid);
      expect(() => audienceOf(provider)).toThrow('--gcp-workload-identity-pool-provider');
    },
  );
});
