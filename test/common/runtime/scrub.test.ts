import { describe, expect, it } from 'vitest';
import { scrubSecrets } from '../../../common/runtime/scrub.ts';
import { keys } from '../../support/cases.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEG\n-----END PRIVATE KEY-----';

describe('a text of an error', () => {
  it.each([
    ['a private key', `key ${keys.fac_sign.pkcs8} refused`, 'key [redacted] refused'],
    ['a packet decryption key', `"${keys.fac_enc.x963priv}"`, '"[redacted]"'],
    ['a scalar', `d=${Buffer.alloc(32, 0xa7).toString('base64')}`, 'd=[redacted]'],
    ['PEM', `read ${PEM}!`, 'read [redacted]!'],
    ['PEM that is cut short', `read ${PEM.slice(0, 60)}`, 'read [redacted]'],
    ['a password in a URL', 'GET https://joe:pass@host/x failed', 'GET https://…@host/x failed'],
    ['a token', 'Authorization: Bearer ya29.a0Af_8', 'Authorization: Bearer [redacted]'],
    ['a Google token', 'sent ya29.c.b0Aaek-x_y', 'sent [redacted]'],
    ['a JSON web token', 'sent eyJhbGciOi.eyJzdWIi.c2ln-_', 'sent [redacted]'],
    ['an assignment', 'AWS_SECRET_ACCESS_KEY=wJalrX is set', 'AWS_SECRET_ACCESS_KEY=[redacted] is set'],
    ['a header', 'x-amz-security-token: IQoJb3JpZ2luX2VjEMj', 'x-amz-security-token: [redacted]'],
    ['JSON', '{"access_token":"abc","expires_in":3599}', '{"access_token":"[redacted]","expires_in":3599}'],
    ['a signed URL', 'https://h/o?X-Amz-Signature=0f3a&x=1', 'https://h/o?X-Amz-Signature=[redacted]&x=1'],
    ['a secret access key of AWS', 'key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY0 of', 'key [redacted] of'],
  ])('is rid of %s', (_, text, scrubbed) => {
    expect(scrubSecrets(text)).toBe(scrubbed);
  });

  it.each([
    'there is no object kittens-seen/2026/11/20/09/00/b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e.batch.sig in gs://bucket',
    'no object CovidExposureNotification/2026/11/20/09/00/b7a4b03c',
    '    at settleTask (file:///srv/Operator1/dataShareProcessor/dist/facilitator/worker/settle.js:41:12)',
    'SHA-256 is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    '--batch-signing-private-key: is no base64 of PKCS#8',
    'Unexpected token } in JSON at position 3',
    'connect ECONNREFUSED 127.0.0.1:4566',
  ])('keeps what helps: %s', (text) => {
    expect(scrubSecrets(text)).toBe(text);
  });
});
