import { afterEach, describe, expect, it, vi } from 'vitest';
import { openS3 } from '../../../../common/backends/storage/s3.ts';
import { ConfigurationInvalid, ObjectKeyInvalid } from '../../../../common/errors.ts';
import type { StorageRequest } from '../../../../common/backends/storage/settings.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';
import { s3Error, scriptedS3 } from '../../../support/scripted-s3.ts';

const ETAG = '"0123456789abcdef0123456789abcdef"';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('openS3', () => {
  it.each(['someone@example.iam.gserviceaccount.com', 'arn:aws:iam::123456789012:user/someone', ''])(
    'takes no identity like %j',
    (identity) => {
      expect(() => openS3('s3://eu-west-1/bucket', { identity })).toThrow(ConfigurationInvalid);
    },
  );

  it.each([
    ['AWS_ENDPOINT_URL', 'eu-north-1'],
    ['AWS_ENDPOINT_URL_S3', 'eu-south-1'],
  ])('goes where %s says, for all storages of a region over one client', async (variable, region) => {
    await using s3 = await scriptedS3(() => ({ headers: { etag: ETAG }, body: 'content' }));
    vi.stubEnv(variable, s3.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'from-the-environment');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const counted: StorageRequest[] = [];
    const first = openS3(`s3://${region}/a.bucket/p`, { onRequest: (request) => counted.push(request) });
    expect(first?.url).toBe(`s3://${region}/a.bucket/p`);
    await first?.get('k');
    // The client is there by now: it does not look for credentials again.
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'changed');
    await openS3(`s3://${region}/other-bucket`, {})?.get('k');
    expect(s3.requests.map(({ path }) => path)).toEqual(['/a.bucket/p/k', '/other-bucket/k']);
    for (const { headers } of s3.requests) {
      expect(headers.authorization).toMatch(new RegExp(`Credential=from-the-environment/\\d{8}/${region}/s3/`));
    }
    expect(counted).toEqual(['get']);
  });

  it('says what to do where there are no credentials', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    for (const name of ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_WEB_IDENTITY_TOKEN_FILE']) {
      vi.stubEnv(name, undefined);
    }
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/dev/null');
    await using s3 = await scriptedS3(() => s3Error(500, 'InternalError'));
    vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
    const getting = openS3('s3://eu-west-3/bucket', {})?.get('k');
    await expect(getting).rejects.toMatchObject({ code: 'E_PERMISSION_DENIED' });
    await expect(getting).rejects.toThrow('AWS_PROFILE');
    expect(s3.requests).toEqual([]);
  });
});

describe('S3Storage', () => {
  it('keeps all keys under its prefix, whose length counts', async () => {
    const location = `s3://eu-west-1/bucket/${'p'.repeat(1000)}`;
    await using s3 = await scriptedS3(() => ({ headers: { etag: ETAG } }), { location });
    await s3.storage.put('k'.repeat(23), Buffer.from('x'));
    expect(s3.requests[0]?.path).toBe(`/bucket/${'p'.repeat(1000)}/${'k'.repeat(23)}`);
    await expect(s3.storage.put('k'.repeat(24), Buffer.from('x'))).rejects.toThrow(ObjectKeyInvalid);
  });

  it('gives the owner of the bucket each object that it writes', async () => {
    await using s3 = await scriptedS3(() => ({ headers: { etag: ETAG } }));
    await s3.storage.put('k', Buffer.from('x'));
    await s3.storage.createIfAbsent('k', Buffer.from('x'));
    await s3.storage.replaceIfUnchanged('k', ETAG, Buffer.from('x'));
    expect(s3.requests.map(({ headers }) => headers['x-amz-acl'])).toEqual(Array(3).fill('bucket-owner-full-control'));
    const conditions = s3.requests.map(({ headers }) => [headers['if-none-match'], headers['if-match']]);
    expect(conditions).toEqual([
      [undefined, undefined],
      ['*', undefined],
      [undefined, ETAG],
    ]);
  });

  it.each(['', 'x', '"', '""', '"a"b"', 'W/"a"', '*', '"a\n"', `${ETAG}, "b"`])(
    'takes %j for no version, without asking S3',
    async (version) => {
      await using s3 = await scriptedS3(() => ({ headers: { etag: ETAG } }));
      expect(await s3.storage.replaceIfUnchanged('k', version, Buffer.from('x'))).toBeUndefined();
      expect(s3.requests).toEqual([]);
    },
  );

  it('asks for the bucket to check it, which is not counted', async () => {
    await using s3 = await scriptedS3(() => ({}));
    await s3.storage.check('read');
    await s3.storage.check('write');
    expect(s3.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(Array(2).fill('HEAD /bucket/'));
    expect(s3.counted).toEqual([]);
  });

  it('tells of each request once, of repetitions not', async () => {
    await using s3 = await scriptedS3((_, n) =>
      n === 0 ? s3Error(500, 'InternalError') : { headers: { etag: ETAG }, body: 'content' },
    );
    await s3.storage.put('k', Buffer.from('x'));
    await readObject(s3.storage, 'k');
    await s3.storage.delete('k');
    expect(s3.counted).toEqual(['put', 'get', 'delete']);
  });

  it('keeps to one connection, whatever was read or refused', async () => {
    const bodies = [Buffer.alloc(0), Buffer.from('small'), Buffer.alloc(1024 * 1024)];
    await using s3 = await scriptedS3((_, n) => {
      const body = bodies[n];
      return body ? { headers: { etag: ETAG }, body } : s3Error(412, 'PreconditionFailed');
    });
    for (const body of bodies) expect((await readObject(s3.storage, 'k')).equals(body)).toBe(true);
    expect(await s3.storage.createIfAbsent('k', Buffer.from('x'))).toBeUndefined();
    expect(await s3.storage.createIfAbsent('k', Buffer.from('x'))).toBeUndefined();
    expect(s3.connections()).toBe(1);
  });
});
