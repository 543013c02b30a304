import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../common/errors.ts';
import { parseGatewayAddress } from '../../../workflow-manager/backends/gateway-address.ts';

describe('the address of a metrics gateway', () => {
  it.each([
    ['pushgateway:9091', 'http://pushgateway:9091', undefined],
    ['pushgateway', 'http://pushgateway', undefined],
    ['127.0.0.1:9091', 'http://127.0.0.1:9091', undefined],
    ['[::1]:9091', 'http://[::1]:9091', undefined],
    ['http://pushgateway:9091', 'http://pushgateway:9091', undefined],
    ['https://pushgateway', 'https://pushgateway', undefined],
    ['HTTPS://Pushgateway:9091/', 'https://pushgateway:9091', undefined],
    ['gateways:9091/push//', 'http://gateways:9091/push', undefined],
    ['https://gateways/a%20b', 'https://gateways/a%20b', undefined],
    ['https://user:secret@gateway:9091', 'https://gateway:9091', 'user:secret'],
    ['user:p%40s%2Fs@gateway:9091/push', 'http://gateway:9091/push', 'user:p@s/s'],
    ['https://user@gateway', 'https://gateway', 'user:'],
    ['https://:secret@gateway', 'https://gateway', ':secret'],
  ])('%s is read as %s', (address, url, credentials) => {
    expect(parseGatewayAddress(address)).toEqual({ url, credentials });
  });

  it.each([
    ['nothing', ''],
    ['a blank', ' '],
    ['blanks around it', ' pushgateway:9091 '],
    ['a line feed', 'pushgateway\n:9091'],
    ['another scheme', 'ftp://pushgateway:9091'],
    ['no host', 'http://:9091'],
    ['a scheme alone', 'https://'],
    ['a scheme without slashes', 'http:pushgateway'],
    ['a port that is none', 'pushgateway:metrics'],
    ['a port too large', 'pushgateway:65536'],
    ['a query', 'http://pushgateway:9091/?job=x'],
    ['a fragment', 'http://pushgateway:9091/#x'],
    ['a backslash', 'http://pushgateway\\x'],
    ['letters that are not ASCII', 'http://püshgateway'],
  ])('is not one with %s', (_, address) => {
    expect(() => parseGatewayAddress(address)).toThrow(UsageError);
    expect(() => parseGatewayAddress(address)).toThrow('is no address of a metrics gateway: give host:port');
  });

  it.each([
    'http://user:s3cret@gateway:99999',
    'user:s3cret@gateway:none',
    'http://user:s3cr%et@gateway',
    'http://user:a/s3cret@gateway',
    'http://user/s3cret@gateway',
    'http://user:s3cret\n@gateway',
    'ftp://user:s3cret@gateway',
  ])('that is malformed is told without its credentials: %j', (address) => {
    const thrown = failureOf(address);
    expect(thrown.message).toMatch(/^"(?:\w+:\/\/)?…@gateway/);
    expect(JSON.stringify([thrown, thrown.message, thrown.stack, thrown.cause])).not.toMatch(/s3cr|user\b(?! or)/);
  });

  it('gives its credentials back, whatever they are, and shows them nowhere', () => {
    const secret = fc.string({ unit: 'binary-ascii', minLength: 1 });
    fc.assert(
      fc.property(secret, secret, (user, password) => {
        const [encodedUser, encodedPassword] = [user, password].map(encodeURIComponent);
        const address = parseGatewayAddress(`https://${encodedUser}:${encodedPassword}@gateway:9091`);
        expect(address).toEqual({ url: 'https://gateway:9091', credentials: `${user}:${password}` });
      }),
    );
  });
});

function failureOf(address: string): Error {
  try {
    parseGatewayAddress(address);
  } catch (err) {
    if (err instanceof Error) return err;
  }
  throw new Error('it is an address');
}
