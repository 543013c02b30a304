import { UsageError } from '../../common/errors.ts';

/** Where a metrics gateway is. */
export interface GatewayAddress {
  /** Scheme, host, port and path prefix, without a slash at the end and without credentials. */
  readonly url: string;
  /** For HTTP's basic authentication, `user:password`; a secret. */
  readonly credentials: string | undefined;
}

/** `new URL` would drop or rewrite what is beyond it. */
const PLAIN = /^[\x21-\x7e]+$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * Reads `host`, `host:port`, or a URL with `http` or `https` that may have a path prefix and credentials. Without a
 * scheme it is `http`; without a port, the scheme's.
 * @throws UsageError, which does not show credentials
 */
export function parseGatewayAddress(address: string): GatewayAddress {
  if (!PLAIN.test(address) || /[\\?#]/.test(address)) throw malformed(address);
  try {
    const url = new URL(SCHEME.test(address) ? address : `http://${address}`);
    // An `@` in the path is more likely the end of a password with a slash, which must not be logged.
    if (!/^https?:$/.test(url.protocol) || url.pathname.includes('@')) throw malformed(address);
    const { username, password } = url;
    return {
      url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
      credentials: username + password === '' ? undefined : [username, password].map(decodeURIComponent).join(':'),
    };
  } catch {
    // Not as the cause: `new URL` repeats its input.
    throw malformed(address);
  }
}

function malformed(address: string): UsageError {
  const shown = address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@');
  return new UsageError(
    `${JSON.stringify(shown)} is no address of a metrics gateway: give host:port, or a URL like https://pushgateway:9091; what is special in a user or password is percent-encoded`,
  );
}
