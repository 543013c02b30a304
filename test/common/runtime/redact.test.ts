import { expect, it } from 'vitest';
import { ObjectMissing } from '../../../common/errors.ts';
import { namesKeyMaterial, redact } from '../../../common/runtime/redact.ts';

it.each([
  'private_key',
  'batch_signing_private_key',
  'batch-signing-private-key',
  'batchSigningPrivateKey',
  'packet_decryption_keys',
  'decryption_key',
  'secret',
  'client_secret',
  'secret_access_key',
  'token',
  'oauth_token',
  'accessToken',
  'PASSWORD',
  'passphrase',
  'authorization',
])('hides %s', (name) => {
  expect(namesKeyMaterial(name)).toBe(true);
});

it.each([
  'private_key_identifier',
  'batch-signing-private-key-identifier',
  'secret_name',
  'service_account_key_file',
  'access_key_id',
  'key',
  'key_id',
  'public_key',
  'batch_id',
  'trace_id',
  'path',
  'broken',
])('shows %s', (name) => {
  expect(namesKeyMaterial(name)).toBe(false);
});

it('looks into objects and lists, and turns errors and bytes into text', () => {
  const when = new Date(0);
  const fields = {
    batch_id: 'b',
    private_key: { d: 's3cr3t' },
    nested: { list: [{ token: 's3cr3t', count: 1 }, null, 'x'] },
    share: new Uint8Array(16),
    error: Object.assign(new ObjectMissing('no such object', { cause: new Error('404') }), { secret: 's3cr3t' }),
    when,
  };
  expect(redact(fields)).toEqual({
    batch_id: 'b',
    private_key: '[redacted]',
    nested: { list: [{ token: '[redacted]', count: 1 }, null, 'x'] },
    share: '[16 bytes]',
    error: 'no such object: 404',
    when,
  });
});

it('survives objects that contain themselves', () => {
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  expect(JSON.stringify(redact(loop))).toContain('[too deep]');
});
