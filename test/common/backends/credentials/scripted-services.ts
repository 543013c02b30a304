import { expect } from 'vitest';
import { describeError } from '../../../../common/errors.ts';
import { inspect } from 'node:util';
import { scriptedServer, type Answer, type ScriptedServer, type Seen } from './scripted-server.ts';

const HOUR_MS = 3_600_000;

/** A token that looks like those of Google and Kubernetes. */
export const ID_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhY2NvdW50In0.c2lnbmF0dXJl';

export const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json', 'Metadata-Flavor': 'Google' },
  body: JSON.stringify(body),
});

/** AWS STS, which gives out sessions KEYID1, KEYID2, … */
export function awsSts(): Promise<ScriptedServer> {
  let serial = 0;
  return scriptedServer(() => {
    serial++;
    const expiration = new Date(Date.now() + HOUR_MS).toISOString();
    return {
      headers: { 'Content-Type': 'text/xml' },
      body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
        <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
        <Credentials><AccessKeyId>KEYID${serial}</AccessKeyId><SecretAccessKey>SECRET${serial}</SecretAccessKey>
        <SessionToken>SESSION${serial}</SessionToken><Expiration>${expiration}</Expiration></Credentials>
        </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    };
  });
}

/** The IAM Credentials API: an ID token, or access tokens ya29.target-1, ya29.target-2, … */
export function iamCredentials(): Promise<ScriptedServer> {
  let serial = 0;
  return scriptedServer(({ path }) => {
    if (path.endsWith(':generateIdToken')) return json({ token: ID_TOKEN });
    const expireTime = new Date(Date.now() + HOUR_MS).toISOString();
    return json({ accessToken: `ya29.target-${++serial}`, expireTime });
  });
}

/** Google's metadata server on GKE: access tokens and ID tokens of the pod's account. */
export function metadataServer(): Promise<ScriptedServer> {
  return scriptedServer(({ path }) => {
    if (path.includes('/identity?')) return { headers: { 'Metadata-Flavor': 'Google' }, body: ID_TOKEN };
    return json({ access_token: 'ya29.ambient', expires_in: 3600 });
  });
}

/** An OAuth token endpoint, which gives out ya29.base-1, ya29.base-2, … */
export function tokenEndpoint(answer?: (serial: number) => Answer): Promise<ScriptedServer> {
  let serial = 0;
  return scriptedServer(() => {
    serial++;
    if (answer) return answer(serial);
    return json({ access_token: `ya29.base-${serial}`, token_type: 'Bearer', expires_in: 3600 });
  });
}

export const formOf = ({ body }: Seen): Record<string, string> => Object.fromEntries(new URLSearchParams(body));

/** What the promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const failure = await promise.then(
    () => undefined,
    (err: unknown) => err,
  );
  if (!(failure instanceof Error)) throw new Error('it has not failed');
  return failure;
}

/** Neither the log nor the error as a whole tells any of `secrets`, or any token. */
export function expectNoSecrets(failure: Error, secrets: readonly string[]): void {
  const told = describeError(failure) + inspect(failure, { depth: Infinity, showHidden: true });
  expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
  expect(told).not.toMatch(/ya29\.|Bearer |PRIVATE KEY|\beyJ/);
}
