import { describe, expect, it } from 'vitest';
import { describeError } from '../../../../common/errors.ts';
import type { Storage } from '../../../../common/ports/storage.ts';
import { s3Error, scriptedS3, type S3Answer } from '../../../support/scripted-s3.ts';
import { keysOf } from '../../../contract/storage/fixtures.ts';

const ETAG = '"0123456789abcdef0123456789abcdef"';
const BODY = Buffer.from('x');

const CALLS = {
  check: (storage) => storage.check('read'),
  list: (storage) => keysOf(storage.list()),
  listFolder: (storage) => keysOf(storage.listFolder()),
  get: (storage) => storage.get('k'),
  put: (storage) => storage.put('k', BODY),
  createIfAbsent: (storage) => storage.createIfAbsent('k', BODY),
  replaceIfUnchanged: (storage) => storage.replaceIfUnchanged('k', ETAG, BODY),
  delete: (storage) => storage.delete('k'),
} satisfies Record<string, (storage: Storage) => Promise<unknown>>;
type Method = keyof typeof CALLS;
// The keys of an object that is written out above.
const METHODS = Object.keys(CALLS) as Method[];

async function failure(method: Method, answer: S3Answer): Promise<unknown> {
  await using s3 = await scriptedS3(() => answer, { maxAttempts: 1 });
  return await CALLS[method](s3.storage).then(
    () => undefined,
    (err: unknown) => err,
  );
}

describe('what S3 refuses', () => {
  it.each<[Method, string]>([
    ['check', 's3:ListBucket'],
    ['list', 's3:ListBucket'],
    ['listFolder', 's3:ListBucket'],
    ['get', 's3:GetObject'],
    ['put', 's3:PutObject and s3:PutObjectAcl'],
    ['createIfAbsent', 's3:PutObject and s3:PutObjectAcl'],
    ['replaceIfUnchanged', 's3:PutObject, s3:PutObjectAcl and s3:GetObject'],
    ['delete', 's3:DeleteObject'],
  ])('%s names the permission: %s', async (method, permission) => {
    const err = await failure(method, method === 'check' ? { status: 403 } : s3Error(403, 'AccessDenied'));
    expect(err).toMatchObject({ code: 'E_PERMISSION_DENIED', cause: { $metadata: { httpStatusCode: 403 } } });
    expect(describeError(err)).toContain(`s3://eu-west-1/bucket: this needs ${permission} on bucket 'bucket'`);
  });

  it('is no reason to fail a check for writing, which a look at the bucket tells nothing about', async () => {
    await using s3 = await scriptedS3(() => ({ status: 403 }), { maxAttempts: 1 });
    await s3.storage.check('write');
    expect(s3.requests).toHaveLength(1);
  });

  it('says of a get that the object may be missing', async () => {
    expect(describeError(await failure('get', s3Error(403, 'AccessDenied')))).toContain('without s3:ListBucket');
  });

  it.each([
    [403, 'InvalidAccessKeyId'],
    [403, 'SignatureDoesNotMatch'],
    [400, 'ExpiredToken'],
    [400, 'InvalidToken'],
  ])('tells credentials that are no good from permissions that are missing: %i %s', async (status, code) => {
    const err = await failure('get', s3Error(status, code));
    expect(err).toMatchObject({ code: 'E_PERMISSION_DENIED' });
    expect(describeError(err)).toContain(`credentials are refused (${code})`);
  });
});

describe('a bucket', () => {
  it.each(METHODS)('that does not exist is for the operator to change: %s', async (method) => {
    const err = await failure(method, method === 'check' ? { status: 404 } : s3Error(404, 'NoSuchBucket'));
    expect(err).toMatchObject({ code: 'E_CONFIGURATION' });
    expect(describeError(err)).toContain("there is no bucket 'bucket'");
  });

  const headers = { 'x-amz-bucket-region': 'eu-central-1' };
  it.each<[string, Method, S3Answer]>([
    ['a redirection with a header', 'check', { status: 301, headers }],
    ['a header alone', 'check', { status: 400, headers }],
    ['a refusal with a header', 'check', { status: 403, headers }],
    ['a redirection of a get', 'get', { ...asObject(s3Error(301, 'PermanentRedirect')), headers }],
    ['a malformed authorization', 'put', s3Error(400, 'AuthorizationHeaderMalformed', { Region: 'eu-central-1' })],
    ['a temporary redirection', 'list', { ...asObject(s3Error(307, 'TemporaryRedirect')), headers }],
  ])('in another region has its location told, after %s', async (_, method, answer) => {
    const err = await failure(method, answer);
    expect(err).toMatchObject({ code: 'E_CONFIGURATION' });
    expect(describeError(err)).toContain('write s3://eu-central-1/bucket');
  });

  it('in another region that S3 does not tell is an error of the configuration, too', async () => {
    expect(await failure('get', s3Error(301, 'PermanentRedirect'))).toMatchObject({ code: 'E_CONFIGURATION' });
  });
});

describe('an object', () => {
  it('is missing', async () => {
    const err = await failure('get', s3Error(404, 'NoSuchKey'));
    expect(err).toMatchObject({ code: 'E_OBJECT_MISSING' });
    expect(describeError(err)).toContain("no object 'k' in s3://eu-west-1/bucket");
  });

  it('that is archived is said to be so', async () => {
    const err = await failure('get', s3Error(403, 'InvalidObjectState'));
    expect(err).toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
    expect(describeError(err)).toContain('restore it');
  });

  it.each(['get', 'put'] as const)('has an ETag, or S3 is no S3: %s', async (method) => {
    expect(await failure(method, {})).toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });
});

describe('any other failure', () => {
  it.each([
    [500, 'InternalError'],
    [503, 'SlowDown'],
    [400, 'InvalidRequest'],
    [412, 'PreconditionFailed'],
  ])('is the service’s: %i %s', async (status, code) => {
    const err = await failure('get', s3Error(status, code));
    expect(err).toMatchObject({ code: 'E_STORAGE_UNAVAILABLE', fate: 'retry' });
    expect(describeError(err)).toBe(
      `cannot get 'k' in s3://eu-west-1/bucket (status ${status}, 1 attempt): about ${code}`,
    );
  });

  it('of an answer that is no S3’s is the service’s, too', async () => {
    expect(await failure('list', { body: '<html>no' })).toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });
});

function asObject(answer: S3Answer): Exclude<S3Answer, string> {
  return answer === 'reset' ? {} : answer;
}
