import { createVerify, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { googleCredentials } from '../../../../common/backends/credentials/google.ts';
import { openStorage } from '../../../../common/backends/storage/open.ts';
import { ConfigurationInvalid, describeError, namedFailure, PermissionDenied } from '../../../../common/errors.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from './environment.ts';
import { expectNoSecrets, failureOf, formOf, iamCredentials, json, tokenEndpoint } from './scripted-services.ts';

const directory = temporaryDirectory();
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const EMAIL = 'writer@project.iam.gserviceaccount.com';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const STORAGE_SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';

let files = 0;
/** A file of its own each time, as there is one client for each in a process. */
function keyFile(fields: Readonly<Record<string, unknown>>): string {
  const path = join(directory(), `key-${++files}.json`);
  const key = { type: 'service_account', client_email: EMAIL, private_key: PEM, private_key_id: 'id-1', ...fields };
  writeFileSync(path, JSON.stringify(key));
  return path;
}

const partsOf = (jwt: string): string[] => jwt.split('.').map((part) => Buffer.from(part, 'base64url').toString());

describe('the account of a key file', () => {
  it('gets its token where the file says, by an assertion that its key signs', async () => {
    vendorEnvironment(directory());
    await using endpoint = await tokenEndpoint();
    const client = await googleCredentials({ gcpKeyFile: keyFile({ token_uri: `${endpoint.url}/token` }) });
    await expect(client?.getAccessToken()).resolves.toMatchObject({ token: 'ya29.base-1' });
    expect(endpoint.seen).toMatchObject([{ method: 'POST', path: '/token' }]);
    const { grant_type: grant, assertion = '' } = formOf(endpoint.seen[0]!);
    expect(grant).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header = '', claims = ''] = partsOf(assertion);
    expect(JSON.parse(header)).toMatchObject({ alg: 'RS256' });
    const { iss, aud, scope, iat, exp } = JSON.parse(claims) as Record<string, unknown>;
    expect({ iss, aud }).toEqual({ iss: EMAIL, aud: `${endpoint.url}/token` });
    expect(Number(exp) - Number(iat)).toBe(3600);
    expect(String(scope).split(' ')).toContain(STORAGE_SCOPE);
    const signed = assertion.replace(/\.[^.]*$/, '');
    const signature = assertion.slice(signed.length + 1);
    expect(createVerify('sha256').update(signed).verify(publicKey, signature, 'base64url')).toBe(true);
  });

  it('has one client, which asks once for any number of requests, until the token expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vendorEnvironment(directory());
    await using endpoint = await tokenEndpoint();
    const gcpKeyFile = keyFile({ token_uri: endpoint.url });
    const client = await googleCredentials({ gcpKeyFile });
    await expect(googleCredentials({ gcpKeyFile, useDefaultAwsProvider: true })).resolves.toBe(client);
    const tokens = async (): Promise<unknown[]> =>
      (await Promise.all([1, 2, 3].map(() => client!.getAccessToken()))).map(({ token }) => token);
    expect(await tokens()).toEqual(Array(3).fill('ya29.base-1'));
    vi.setSystemTime(Date.now() + 59 * 60_000);
    expect(await tokens()).toEqual(Array(3).fill('ya29.base-2'));
    expect(endpoint.seen).toHaveLength(2);
  });

  it('impersonates the identity', async () => {
    vendorEnvironment(directory());
    await using endpoint = await tokenEndpoint();
    await using iam = await iamCredentials();
    const identity = 'peer@project.iam.gserviceaccount.com';
    const client = await googleCredentials(
      { identity, gcpKeyFile: keyFile({ token_uri: endpoint.url }) },
      { iamCredentials: iam.url },
    );
    await expect(client?.getAccessToken()).resolves.toMatchObject({ token: 'ya29.target-1' });
    expect(iam.seen).toMatchObject([
      {
        path: `/v1/projects/-/serviceAccounts/${identity}:generateAccessToken`,
        headers: { authorization: 'Bearer ya29.base-1' },
      },
    ]);
    const [, claims = ''] = partsOf(formOf(endpoint.seen[0]!)['assertion'] ?? '');
    expect(JSON.parse(claims)).toMatchObject({ scope: 'https://www.googleapis.com/auth/cloud-platform' });
  });

  it('that Google refuses is PermissionDenied, without the assertion, also where it impersonates', async () => {
    vendorEnvironment(directory());
    await using endpoint = await tokenEndpoint(() =>
      json({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, 400),
    );
    const gcpKeyFile = keyFile({ token_uri: endpoint.url });
    for (const identity of [undefined, 'x@p.iam.gserviceaccount.com']) {
      const client = await googleCredentials({ gcpKeyFile, identity });
      const failure = await failureOf(client!.getAccessToken());
      expect(failure).toBeInstanceOf(PermissionDenied);
      expect(describeError(failure)).toBe(
        `cannot get a token for ${EMAIL}: the key in ${gcpKeyFile} must be one that Google still knows, and the clock right: invalid_grant: Invalid JWT Signature.`,
      );
      expectNoSecrets(failure, [PEM.slice(40, 80)]);
    }
  });

  it('for now, as the endpoint cannot be reached, is left to the backend to name', async () => {
    vendorEnvironment(directory());
    const endpoint = await tokenEndpoint();
    const client = await googleCredentials({ gcpKeyFile: keyFile({ token_uri: endpoint.url }) });
    await endpoint[Symbol.asyncDispose]();
    const failure = await failureOf(client!.getAccessToken());
    expect(namedFailure(failure)).toBeUndefined();
    expect(failure.message).toBe(`cannot get a token for ${EMAIL}`);
    expectNoSecrets(failure, []);
  });
});

describe('a key file', () => {
  const content = (text: string): string => {
    const path = join(directory(), `key-${++files}.json`);
    writeFileSync(path, text);
    return path;
  };

  it.each<[string, () => string, string]>([
    ['is not there', () => join(directory(), 'none.json'), 'cannot be read (ENOENT)'],
    ['is a directory', () => directory(), 'cannot be read (EISDIR)'],
    ['is no JSON', () => content(PEM), 'is no JSON object'],
    ['is a JSON text', () => content('"x"'), 'is no JSON object'],
    ['has no account', () => keyFile({ client_email: undefined }), 'has no client_email'],
    ['has no key', () => keyFile({ private_key: undefined }), 'has no private_key in PEM'],
    ['has a damaged key', () => keyFile({ private_key: PEM.replaceAll('A', 'B') }), 'has no private_key in PEM'],
    ['has an endpoint that is none', () => keyFile({ token_uri: 'oauth2' }), 'has a token_uri that is no URL'],
  ])('that %s is ConfigurationInvalid with the option and the path, and not quoted', async (_, make, why) => {
    const gcpKeyFile = make();
    const failure = await failureOf(googleCredentials({ gcpKeyFile }));
    expect(failure).toBeInstanceOf(ConfigurationInvalid);
    expect(describeError(failure)).toBe(
      `--gcp-service-account-key-file ${gcpKeyFile} ${why}: give the JSON file of a service account's key, or leave the option out`,
    );
    expectNoSecrets(failure, [PEM.slice(40, 80)]);
  });

  it('that is mended is read again', async () => {
    const gcpKeyFile = content('{');
    await expect(googleCredentials({ gcpKeyFile })).rejects.toThrow(ConfigurationInvalid);
    writeFileSync(gcpKeyFile, JSON.stringify({ client_email: EMAIL, private_key: PEM }));
    await expect(googleCredentials({ gcpKeyFile })).resolves.toBeDefined();
  });

  it('that cannot be read fails the check of a bucket as it is', async () => {
    vendorEnvironment(directory());
    const bucket = openStorage('gs://bucket', { gcpKeyFile: join(directory(), 'none.json') });
    await expect(bucket.check('write')).rejects.toThrow(ConfigurationInvalid);
    await expect(bucket.check('write')).rejects.toThrow('--gcp-service-account-key-file');
  });
});
