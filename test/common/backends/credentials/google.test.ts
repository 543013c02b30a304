import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Storage } from '@google-cloud/storage';
import type { AuthClient } from 'google-auth-library';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { googleCredentials } from '../../../../common/backends/credentials/google.ts';
import { ConfigurationInvalid, describeError, namedFailure, PermissionDenied } from '../../../../common/errors.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from './environment.ts';
import { scriptedServer, type Answer, type ScriptedServer } from './scripted-server.ts';

const directory = temporaryDirectory();
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const HOUR_MS = 3_600_000;
const SOURCE_TOKEN = 'ya29.source-token';

let accounts = 0;
/** Another one each time, as there is one client for each account in a process. */
const newAccount = (): string => `reader-${++accounts}@project.iam.gserviceaccount.com`;

const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json', 'Metadata-Flavor': 'Google' },
  body: JSON.stringify(body),
});

const token = (serial: number): Answer =>
  json({ accessToken: `ya29.target-${serial}`, expireTime: new Date(Date.now() + HOUR_MS).toISOString() });

/** The IAM Credentials API, which gives out a new token each time. */
function iam(answer: (serial: number) => Answer = token): Promise<ScriptedServer> {
  let serial = 0;
  return scriptedServer(() => answer(++serial));
}

/** The metadata server of a pod on GKE with Workload Identity. */
async function onGke(answer: Answer = json({ access_token: SOURCE_TOKEN, expires_in: 3600 })): Promise<ScriptedServer> {
  const metadataServer = await scriptedServer(() => answer);
  vendorEnvironment(directory(), {
    METADATA_SERVER_DETECTION: 'assume-present',
    GCE_METADATA_HOST: metadataServer.host,
  });
  return metadataServer;
}

/** A client of the account that asks `service` instead of Google. */
async function clientOf(account: string, service: ScriptedServer): Promise<AuthClient> {
  const client = await googleCredentials({ identity: account });
  if (!client) throw new Error('no client');
  // The library takes another endpoint, but only from whoever makes the client.
  return Object.assign(client, { endpoint: service.url });
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const failure = await promise.then(
    () => undefined,
    (err: unknown) => err,
  );
  if (!(failure instanceof Error)) throw new Error('it has not failed');
  return failure;
}

/** Neither the log nor the error as a whole tells tokens. */
function expectNoTokens(failure: Error): void {
  const told = describeError(failure) + inspect(failure, { depth: Infinity, showHidden: true });
  expect(told).not.toMatch(/ya29|Bearer|PRIVATE KEY/);
}

describe('googleCredentials', () => {
  it('leaves the ambient identity to the libraries', async () => {
    await expect(googleCredentials({})).resolves.toBeUndefined();
  });

  it.each(['', 'reader', 'a@b@c', 'arn:aws:iam::123456789012:role/x'])('refuses %j', async (identity) => {
    await expect(googleCredentials({ identity })).rejects.toThrow(ConfigurationInvalid);
  });

  it('impersonates the account as whoever we are', async () => {
    await using metadataServer = await onGke();
    await using service = await iam();
    const account = newAccount();
    const client = await clientOf(account, service);
    await expect(client.getAccessToken()).resolves.toMatchObject({ token: 'ya29.target-1' });
    expect(service.seen).toMatchObject([
      {
        method: 'POST',
        path: `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
        headers: { authorization: `Bearer ${SOURCE_TOKEN}` },
      },
    ]);
    expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual({
      delegates: [],
      scope: ['https://www.googleapis.com/auth/devstorage.read_write', 'https://www.googleapis.com/auth/pubsub'],
      lifetime: '3600s',
    });
    expect(metadataServer.seen.map(({ path }) => path)).toEqual([
      expect.stringMatching(/\/service-accounts\/default\/token\?scopes=.*cloud-platform$/),
    ]);
  });

  it('has one client for each account, which asks once for any number of requests, until the token expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await using metadataServer = await onGke();
    await using service = await iam();
    const account = newAccount();
    const client = await clientOf(account, service);
    await expect(googleCredentials({ identity: account })).resolves.toBe(client);
    const tokens = async (): Promise<unknown[]> => {
      const answers = await Promise.all([client.getAccessToken(), client.getAccessToken(), client.getAccessToken()]);
      return answers.map(({ token }) => token);
    };
    expect(await tokens()).toEqual(Array(3).fill('ya29.target-1'));
    vi.setSystemTime(Date.now() + 50 * 60_000);
    expect(await tokens()).toEqual(Array(3).fill('ya29.target-1'));
    vi.setSystemTime(Date.now() + 6 * 60_000);
    expect(await tokens()).toEqual(Array(3).fill('ya29.target-2'));
    expect(service.seen).toHaveLength(2);
    expect(metadataServer.seen.length).toBeGreaterThan(0);
  });

  it('authorizes the requests of the storage library', async () => {
    await using _ = await onGke();
    await using service = await iam();
    await using bucket = await scriptedServer(() => json({ items: [] }));
    const authClient = await clientOf(newAccount(), service);
    const storage = new Storage({
      apiEndpoint: bucket.url,
      useAuthWithCustomEndpoint: true,
      authClient,
      projectId: 'p',
    });
    await storage.bucket('b').getFiles({ autoPaginate: false });
    expect(bucket.seen.map(({ headers }) => headers['authorization'])).toEqual(['Bearer ya29.target-1']);
  });
});

describe('an account that cannot be impersonated', () => {
  const denied = json(
    { error: { code: 403, status: 'PERMISSION_DENIED', message: "Permission 'getAccessToken' denied" } },
    403,
  );

  it('for want of the right is PermissionDenied, with the account and the way out', async () => {
    await using _ = await onGke();
    await using service = await iam(() => denied);
    const account = newAccount();
    const client = await clientOf(account, service);
    const failure = await failureOf(client.getAccessToken());
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(describeError(failure)).toBe(
      `cannot impersonate ${account}: grant the ambient identity roles/iam.serviceAccountTokenCreator on it: ` +
        "PERMISSION_DENIED: unable to impersonate: Permission 'getAccessToken' denied",
    );
    expectNoTokens(failure);
  });

  it('fails in the storage library with the same error', async () => {
    await using _ = await onGke();
    await using service = await iam(() => denied);
    await using bucket = await scriptedServer(() => json({ items: [] }));
    const authClient = await clientOf(newAccount(), service);
    const storage = new Storage({
      apiEndpoint: bucket.url,
      useAuthWithCustomEndpoint: true,
      authClient,
      projectId: 'p',
    });
    const failure = await failureOf(storage.bucket('b').getFiles({ autoPaginate: false }));
    expect(namedFailure(failure)).toBeInstanceOf(PermissionDenied);
    const writing = await failureOf(storage.bucket('b').file('f').save('x', { resumable: false }));
    expect(namedFailure(writing)).toBeInstanceOf(PermissionDenied);
    expect(bucket.seen).toEqual([]);
  });

  it('for now, as Google fails, is left to the backend to name', async () => {
    await using _ = await onGke(json({ error: 'unavailable' }, 503));
    await using service = await iam();
    const account = newAccount();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const client = await clientOf(account, service);
    const asked = failureOf(client.getAccessToken());
    await vi.waitFor(async () => {
      await vi.runAllTimersAsync();
      expect(await Promise.race([asked, Promise.resolve()])).toBeDefined();
    });
    const failure = await asked;
    expect(namedFailure(failure)).toBeUndefined();
    expect(failure.message).toBe(`cannot impersonate ${account}`);
    expectNoTokens(failure);
  });

  it('as there is no ambient identity is PermissionDenied, and tried anew the next time', async () => {
    vendorEnvironment(directory());
    const account = newAccount();
    const failure = await failureOf(googleCredentials({ identity: account }));
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure.message).toMatch(/^cannot impersonate reader-.*: .* Workload Identity/);
    await using _ = await onGke();
    await expect(googleCredentials({ identity: account })).resolves.toBeDefined();
  });

  it('as the key file is malformed does not quote the file', async () => {
    const file = join(directory(), 'key.json');
    writeFileSync(file, '{"private_key": -----BEGIN PRIVATE KEY-----MIIEvQ');
    vendorEnvironment(directory(), { GOOGLE_APPLICATION_CREDENTIALS: file });
    const failure = await failureOf(googleCredentials({ identity: newAccount() }));
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(describeError(failure)).toMatch(/not valid JSON$/);
    expectNoTokens(failure);
  });
});
