import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { awsCredentials, type AwsCredentialProvider } from '../../../../common/backends/credentials/aws.ts';
import { ConfigurationInvalid, describeError, namedFailure, PermissionDenied } from '../../../../common/errors.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from './environment.ts';
import { scriptedServer, type Answer, type ScriptedServer, type Seen } from './scripted-server.ts';

const directory = temporaryDirectory();
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const HOUR_MS = 3_600_000;
const KUBERNETES_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJl';
const GOOGLE_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJnc2EifQ.c2lnbmF0dXJl';

let roles = 0;
/** Another one each time, as there is one provider for each role in a process. */
const newRole = (): string => `arn:aws:iam::123456789012:role/test-${++roles}`;

function providerOf(roleArn: string): AwsCredentialProvider {
  const provider = awsCredentials({ identity: roleArn });
  if (!provider) throw new Error('no provider');
  return provider;
}

const session = (serial: number): Answer => ({
  headers: { 'Content-Type': 'text/xml' },
  body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
    <Credentials><AccessKeyId>KEYID${serial}</AccessKeyId><SecretAccessKey>SECRET${serial}</SecretAccessKey>
    <SessionToken>SESSION${serial}</SessionToken><Expiration>${new Date(Date.now() + HOUR_MS).toISOString()}</Expiration></Credentials>
    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
});

const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  headers: { 'Content-Type': 'text/xml' },
  body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code>
    <Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
});

/** STS that gives out a new session each time. */
function sts(answer: (serial: number) => Answer = session): Promise<ScriptedServer> {
  let serial = 0;
  return scriptedServer(() => answer(++serial));
}

/** A metadata server that gives out ID tokens. */
function metadata(answer: Answer = { body: GOOGLE_TOKEN }): Promise<ScriptedServer> {
  return scriptedServer(() => ({ ...answer, headers: { 'Metadata-Flavor': 'Google' } }));
}

/** The environment of a pod with a Kubernetes token. */
function onKubernetes(service: ScriptedServer, variables: Readonly<Record<string, string>> = {}): void {
  const tokenFile = join(directory(), 'token');
  writeFileSync(tokenFile, KUBERNETES_TOKEN);
  vendorEnvironment(directory(), {
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    AWS_ENDPOINT_URL_STS: service.url,
    AWS_REGION: 'eu-west-1',
    ...variables,
  });
}

/** The environment of a pod on GKE with Workload Identity. */
function onGke(service: ScriptedServer, metadataServer: ScriptedServer): void {
  vendorEnvironment(directory(), {
    METADATA_SERVER_DETECTION: 'assume-present',
    GCE_METADATA_HOST: metadataServer.host,
    AWS_ENDPOINT_URL_STS: service.url,
    AWS_REGION: 'eu-west-1',
  });
}

const formOf = ({ body }: Seen): Record<string, string> => Object.fromEntries(new URLSearchParams(body));

/** What the promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const failure = await promise.then(
    () => undefined,
    (err: unknown) => err,
  );
  if (!(failure instanceof Error)) throw new Error('it has not failed');
  return failure;
}

describe('awsCredentials', () => {
  it('leaves the ambient identity to the SDK', () => {
    expect(awsCredentials({})).toBeUndefined();
  });

  it.each(['', 'role', 'a@b.iam.gserviceaccount.com', 'arn:aws:iam::1:role/x', 'arn:aws:iam::123456789012:user/x'])(
    'refuses %j, which is no role',
    (identity) => {
      expect(() => awsCredentials({ identity })).toThrow(ConfigurationInvalid);
    },
  );

  it.each(['arn:aws:iam::123456789012:role/a', 'arn:aws-us-gov:iam::123456789012:role/path/to/a.b@c'])(
    'has one provider for %s',
    (identity) => {
      expect(awsCredentials({ identity })).toBeTypeOf('function');
      expect(awsCredentials({ identity })).toBe(awsCredentials({ identity }));
    },
  );

  it('assumes the role with the Kubernetes token', async () => {
    await using service = await sts();
    onKubernetes(service);
    const roleArn = newRole();
    await expect(providerOf(roleArn)()).resolves.toMatchObject({
      accessKeyId: 'KEYID1',
      secretAccessKey: 'SECRET1',
      sessionToken: 'SESSION1',
    });
    expect(service.seen.map(formOf)).toEqual([
      expect.objectContaining({
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn: roleArn,
        RoleSessionName: 'data-share-processor',
        WebIdentityToken: KUBERNETES_TOKEN,
      }),
    ]);
  });

  it('calls the session as the environment says', async () => {
    await using service = await sts();
    onKubernetes(service, { AWS_ROLE_SESSION_NAME: 'publisher-7' });
    await providerOf(newRole())();
    expect(service.seen.map(formOf)).toEqual([expect.objectContaining({ RoleSessionName: 'publisher-7' })]);
  });

  it('assumes the role with a Google ID token where there is no Kubernetes token', async () => {
    await using service = await sts();
    await using metadataServer = await metadata();
    onGke(service, metadataServer);
    const roleArn = newRole();
    await expect(providerOf(roleArn)()).resolves.toMatchObject({ accessKeyId: 'KEYID1' });
    expect(metadataServer.seen.map(({ path, headers }) => [path, headers['metadata-flavor']])).toEqual([
      [
        '/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=sts.amazonaws.com/gke-identity-federation',
        'Google',
      ],
    ]);
    expect(service.seen.map(formOf)).toEqual([
      expect.objectContaining({
        RoleArn: roleArn,
        RoleSessionName: 'data-share-processor',
        WebIdentityToken: GOOGLE_TOKEN,
      }),
    ]);
  });

  it.each(['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'])('asks STS where %s says', async (name) => {
    await using service = await sts();
    onKubernetes(service, { AWS_ENDPOINT_URL_STS: '', [name]: service.url });
    await providerOf(newRole())();
    expect(service.seen).toHaveLength(1);
  });

  it('asks STS in the region of the client', async () => {
    await using service = await sts();
    onKubernetes(service, { AWS_ENDPOINT_URL_STS: '' });
    const hosts: string[] = [];
    const requestHandler = {
      handle: async ({ hostname }: { readonly hostname: string }): Promise<never> => {
        hosts.push(hostname);
        throw new Error('enough');
      },
    };
    const callerClientConfig = { region: async () => 'ap-south-1', requestHandler };
    await expect(providerOf(newRole())({ callerClientConfig })).rejects.toThrow('cannot assume');
    expect(hosts).toEqual(['sts.ap-south-1.amazonaws.com']);
  });

  it('asks STS once for callers at the same time, and for those soon after', async () => {
    await using service = await sts();
    onKubernetes(service);
    const provider = providerOf(newRole());
    await Promise.all([provider(), provider(), provider()]);
    await provider();
    expect(service.seen).toHaveLength(1);
  });

  it('asks again after a failure', async () => {
    await using service = await sts((serial) => (serial === 1 ? refusal(403, 'AccessDenied', 'no') : session(serial)));
    onKubernetes(service);
    const provider = providerOf(newRole());
    await expect(provider()).rejects.toThrow(PermissionDenied);
    await expect(provider()).resolves.toMatchObject({ accessKeyId: 'KEYID2' });
  });
});

describe('clients of the AWS SDK', () => {
  const published: Answer = {
    headers: { 'Content-Type': 'text/xml' },
    body: '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>',
  };

  const publish = (client: SNSClient): Promise<unknown> =>
    client.send(new PublishCommand({ TopicArn: 'arn:aws:sns:eu-central-1:123456789012:t', Message: 'm' }));

  const signatureOf = ({ headers }: Seen): (string | undefined)[] => [
    /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(String(headers['authorization']))?.slice(1).join(' '),
    String(headers['x-amz-security-token']),
  ];

  it('sign with the role, keep it until it is about to expire, and share it', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    await using service = await sts();
    await using topic = await scriptedServer(() => published);
    onKubernetes(service);
    const credentials = providerOf(newRole());
    const clients = ['eu-central-1', 'us-west-2'].map(
      (region) => new SNSClient({ region, endpoint: topic.url, credentials }),
    );
    const all = async (): Promise<(string | undefined)[][]> => {
      const before = topic.seen.length;
      for (const client of clients) await publish(client);
      return topic.seen.slice(before).map(signatureOf);
    };
    expect(await all()).toEqual([
      ['KEYID1 eu-central-1', 'SESSION1'],
      ['KEYID1 us-west-2', 'SESSION1'],
    ]);
    vi.advanceTimersByTime(50 * 60_000);
    expect(await all()).toEqual([
      ['KEYID1 eu-central-1', 'SESSION1'],
      ['KEYID1 us-west-2', 'SESSION1'],
    ]);
    expect(service.seen).toHaveLength(1);
    vi.advanceTimersByTime(6 * 60_000);
    expect(await all()).toEqual([
      ['KEYID2 eu-central-1', 'SESSION2'],
      ['KEYID2 us-west-2', 'SESSION2'],
    ]);
    expect(service.seen).toHaveLength(2);
    for (const client of clients) client.destroy();
  });

  it('fail as the provider does', async () => {
    await using service = await sts(() => refusal(403, 'AccessDenied', 'Not authorized'));
    await using topic = await scriptedServer(() => published);
    onKubernetes(service);
    const client = new SNSClient({
      region: 'eu-central-1',
      endpoint: topic.url,
      credentials: providerOf(newRole()),
    });
    await expect(publish(client)).rejects.toThrow(PermissionDenied);
    expect([service.seen.length, topic.seen.length]).toEqual([1, 0]);
    client.destroy();
  });
});

describe('a role that cannot be assumed', () => {
  const SECRETS = [KUBERNETES_TOKEN, GOOGLE_TOKEN, ...KUBERNETES_TOKEN.split('.'), 'SECRET1'];

  /** Neither the log nor the error as a whole tells secrets. */
  function expectNoSecrets(failure: Error): void {
    const told = describeError(failure) + inspect(failure, { depth: Infinity, showHidden: true });
    expect(SECRETS.filter((secret) => told.includes(secret))).toEqual([]);
  }

  it.each([
    ['is refused', refusal(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')],
    ['has an identity provider unknown', refusal(400, 'InvalidIdentityToken', 'No OpenIDConnect provider found')],
    ['is told the token', refusal(400, 'ValidationError', `Value '${KUBERNETES_TOKEN}' at 'webIdentityToken'`)],
  ])('and %s is PermissionDenied, with the role and the way out', async (_, answer) => {
    await using service = await sts(() => answer);
    onKubernetes(service);
    const roleArn = newRole();
    const failure = await failureOf(providerOf(roleArn)());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure.message).toBe(
      `cannot assume ${roleArn}: the role's trust policy must admit this identity: its provider, subject and audience`,
    );
    expect(service.seen).toHaveLength(1);
    expectNoSecrets(failure);
  });

  it('tells what STS said', async () => {
    await using service = await sts(() => refusal(403, 'AccessDenied', 'Not authorized at all'));
    onKubernetes(service);
    expect(describeError(await failureOf(providerOf(newRole())()))).toMatch(/: AccessDenied: Not authorized at all$/);
  });

  it('because the token file is missing does not fall back to Google', async () => {
    await using service = await sts();
    await using metadataServer = await metadata();
    onGke(service, metadataServer);
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(directory(), 'none'));
    const failure = await failureOf(providerOf(newRole())());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(describeError(failure)).toMatch(/AWS_WEB_IDENTITY_TOKEN_FILE must name .*: ENOENT/);
    expect([service.seen, metadataServer.seen]).toEqual([[], []]);
  });

  it('because STS gives out nothing does not fall back to Google', async () => {
    const empty =
      '<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/></AssumeRoleWithWebIdentityResponse>';
    await using service = await sts(() => ({ headers: { 'Content-Type': 'text/xml' }, body: empty }));
    await using metadataServer = await metadata();
    onGke(service, metadataServer);
    const tokenFile = join(directory(), 'token');
    writeFileSync(tokenFile, KUBERNETES_TOKEN);
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile);
    await expect(providerOf(newRole())()).rejects.toThrow('cannot assume');
    expect(metadataServer.seen).toEqual([]);
  });

  it.each([
    ['STS fails', 500],
    ['STS is throttled', 429],
  ])('because %s is left to the backend to name', async (_, status) => {
    await using service = await sts(() => refusal(status, 'Throttling', 'later'));
    onKubernetes(service, { AWS_MAX_ATTEMPTS: '1' });
    const roleArn = newRole();
    const failure = await failureOf(providerOf(roleArn)());
    expect(namedFailure(failure)).toBeUndefined();
    expect(failure.message).toBe(`cannot assume ${roleArn}`);
    expectNoSecrets(failure);
  });

  it('because STS cannot be reached is left to the backend to name', async () => {
    const service = await sts();
    onKubernetes(service, { AWS_MAX_ATTEMPTS: '1' });
    await service[Symbol.asyncDispose]();
    const failure = await failureOf(providerOf(newRole())());
    expect(namedFailure(failure)).toBeUndefined();
    expect(describeError(failure)).toContain('ECONNREFUSED');
    expectNoSecrets(failure);
  });

  it.each([
    ['there is no Google identity either', { METADATA_SERVER_DETECTION: 'none' }],
    ['the metadata server knows no account', {}],
  ])('because %s is PermissionDenied', async (_, variables) => {
    await using service = await sts();
    await using metadataServer = await metadata({ status: 404, body: 'not found' });
    onGke(service, metadataServer);
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const failure = await failureOf(providerOf(newRole())());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure.message).toMatch(/no Google ID token for sts\.amazonaws\.com.*: .*Workload Identity/);
    expect(service.seen).toEqual([]);
  });
});
