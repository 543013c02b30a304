import { inspect } from 'node:util';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { GoogleAuth } from 'google-auth-library';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ambientFailure, credentialFailure } from '../../../../common/backends/credentials/failures.ts';
import { describeError, namedFailure, PermissionDenied, StorageUnavailable } from '../../../../common/errors.ts';
import { temporaryDirectory } from '../../../support/temp-directory.ts';
import { vendorEnvironment } from './environment.ts';

const directory = temporaryDirectory();
afterEach(() => vi.unstubAllEnvs());

const ABOUT = { what: 'cannot be who we are', wayOut: 'be somebody' };

/** An error of a vendor's library, with what it is wont to carry. */
const vendorError = (message: string, fields: object = {}): Error => Object.assign(new Error(message), fields);

describe('credentialFailure', () => {
  it.each([
    ['a refusal of Google', vendorError('no', { config: {}, response: { status: 403 } })],
    ['a refusal of AWS', vendorError('no', { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })],
    ['a file that is not there', vendorError('ENOENT: no such file', { code: 'ENOENT' })],
    ['no error at all', 'no'],
  ])('is PermissionDenied for %s', (_, err) => {
    const failure = credentialFailure(ABOUT, err);
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure.message).toBe('cannot be who we are: be somebody');
  });

  it.each([
    ['a failure of Google', vendorError('oh', { config: {}, response: { status: 503 } })],
    ['no answer of Google', vendorError('network timeout', { config: {}, response: undefined })],
    ['a failure of AWS', vendorError('oh', { $metadata: { httpStatusCode: 500 } })],
    ['too many requests', vendorError('slow down', { $metadata: { httpStatusCode: 429 } })],
    ['a refusal that AWS wants repeated', vendorError('oh', { $retryable: {}, $metadata: { httpStatusCode: 400 } })],
    ['a timeout', vendorError('oh', { name: 'TimeoutError' })],
    ['a connection refused', vendorError('', { code: 'ECONNREFUSED' })],
    ['a cause of that kind', new Error('fetch failed', { cause: vendorError('', { code: 'ENOTFOUND' }) })],
  ])('has no name for %s', (_, err) => {
    const failure = credentialFailure(ABOUT, err);
    expect(namedFailure(failure)).toBeUndefined();
    expect(failure.message).toBe('cannot be who we are');
  });

  it('leaves alone what has a name, and what it has made itself', () => {
    const named = new StorageUnavailable('x');
    expect(credentialFailure(ABOUT, named)).toBe(named);
    const own = credentialFailure(ABOUT, vendorError('oh', { code: 'ECONNREFUSED' }));
    expect(credentialFailure(ABOUT, own)).toBe(own);
  });

  it.each([
    ['no rights', 'no rights'],
    ["Value 'secret-1' is too short", "Value '[token]' is too short"],
    ['for eyJhbGciOi.eyJzdWIi.c2ln and ya29.a0-b_c, AKIAIOSFODNN7EXAMPLE', 'for [token] and [token], [token]'],
    ['<html>\n\n  <body>', '<html> <body>'],
    ['x'.repeat(2000), 'x'.repeat(500)],
  ])('says %j as %j', (message, said) => {
    const failure = credentialFailure(ABOUT, new Error(message), ['secret-1', '']);
    expect(describeError(failure)).toBe(`cannot be who we are: be somebody: ${said}`);
  });

  it('keeps of an error and its causes nothing but the text', () => {
    const cause = vendorError('inner', { name: 'Inner', config: { headers: { Authorization: 'Bearer hidden' } } });
    const err = Object.assign(new Error('outer', { cause }), { response: { data: 'hidden' }, code: 'hidden' });
    const failure = credentialFailure(ABOUT, err);
    expect(describeError(failure)).toMatch(/outer: Inner: inner$/);
    expect(inspect(failure, { depth: Infinity, showHidden: true })).not.toContain('hidden');
  });
});

describe('ambientFailure', () => {
  it('tells clients of AWS that find no credentials', async () => {
    vendorEnvironment(directory());
    const client = new SNSClient({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:1' });
    const err: unknown = await client
      .send(new PublishCommand({ TopicArn: 't', Message: 'm' }))
      .catch((err: unknown) => err);
    const failure = ambientFailure('cannot publish', err);
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure?.message).toMatch(/^cannot publish: no AWS credentials: /);
  });

  it("tells Google's libraries that find no credentials", async () => {
    vendorEnvironment(directory());
    const err: unknown = await new GoogleAuth().getClient().catch((err: unknown) => err);
    const failure = ambientFailure('cannot list', err);
    expect(failure).toBeInstanceOf(PermissionDenied);
    expect(failure?.message).toMatch(/^cannot list: no Google credentials: /);
  });

  it.each([
    [
      'a service account that the metadata server does not know',
      vendorError('Could not refresh access token: 404', { config: {}, response: { status: 404 } }),
      PermissionDenied,
    ],
    [
      'a metadata server that fails',
      vendorError('Could not refresh access token: 503', { config: {}, response: { status: 503 } }),
      undefined,
    ],
  ])('tells %s', (_, err, kind) => {
    const failure = ambientFailure('cannot list', err);
    expect(failure).toBeInstanceOf(Error);
    expect(namedFailure(failure)?.constructor).toBe(kind);
  });

  it.each([undefined, 'x', new Error('no such bucket'), vendorError('no', { name: 'AccessDenied' })])(
    'knows nothing of %j',
    (err) => {
      expect(ambientFailure('cannot list', err)).toBeUndefined();
    },
  );
});
