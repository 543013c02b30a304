import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AuthClient, DefaultTransporter } from 'google-auth-library';
import { ConfigurationInvalid } from '../../errors.ts';
import { credentialFailure } from './failures.ts';

interface ServiceAccountKey {
  readonly email: string;
  readonly privateKey: string;
  readonly keyId: string | undefined;
  readonly tokenUri: string;
}

/** Where a key says nothing else. */
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
/** To which google-auth-library 9 sends all assertions, whatever the key says. */
const LIBRARY_TOKEN_URI = 'https://www.googleapis.com/oauth2/v4/token';

/**
 * A client that is the service account whose key the file has (JSON, as Google gives it out). The file is read once.
 * @throws ConfigurationInvalid for a file that cannot be read or is no such key; its text is never quoted
 */
export async function keyFileClient(path: string, scopes: readonly string[]): Promise<AuthClient> {
  const key = await readKeyFile(path);
  const { DefaultTransporter: Transporter, JWT } = await import('google-auth-library');

  class ToTokenUri extends Transporter {
    override request: DefaultTransporter['request'] = (options) =>
      super.request(options.url === LIBRARY_TOKEN_URI ? { ...options, url: key.tokenUri } : options);
  }

  class KeyFileAccount extends JWT {
    // No return type, as the library does not export it.
    protected override async refreshTokenNoCache(refreshToken?: string | null) {
      try {
        return await super.refreshTokenNoCache(refreshToken);
      } catch (err) {
        const wayOut = `the key in ${path} must be one that Google still knows, and the clock right`;
        throw credentialFailure({ what: `cannot get a token for ${key.email}`, wayOut }, err, [key.privateKey]);
      }
    }
  }

  return new KeyFileAccount({
    email: key.email,
    key: key.privateKey,
    ...(key.keyId === undefined ? {} : { keyId: key.keyId }),
    scopes: [...scopes],
    additionalClaims: { aud: key.tokenUri },
    transporter: new ToTokenUri(),
  });
}

async function readKeyFile(path: string): Promise<ServiceAccountKey> {
  const invalid = (why: string): ConfigurationInvalid =>
    new ConfigurationInvalid(
      `--gcp-service-account-key-file ${path} ${why}: give the JSON file of a service account's key, or leave the option out`,
    );
  const text = await readFile(path, 'utf8').catch((err: unknown) => {
    throw invalid(`cannot be read (${err instanceof Error && 'code' in err ? String(err.code) : 'unknown error'})`);
  });
  const fields = jsonObject(text);
  if (!fields) throw invalid('is no JSON object');
  const {
    client_email: email,
    private_key: privateKey,
    private_key_id: keyId,
    token_uri: tokenUri = TOKEN_URI,
  } = fields;
  if (typeof email !== 'string' || email === '') throw invalid('has no client_email');
  if (typeof privateKey !== 'string' || !isPrivateKey(privateKey)) throw invalid('has no private_key in PEM');
  if (typeof tokenUri !== 'string' || !URL.canParse(tokenUri)) throw invalid('has a token_uri that is no URL');
  return { email, privateKey, keyId: typeof keyId === 'string' ? keyId : undefined, tokenUri };
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // An array is one, too, and has none of the fields.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // The error quotes the text.
    return undefined;
  }
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
