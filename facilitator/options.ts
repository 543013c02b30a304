import { UsageError } from '../common/errors.ts';
import type { ServerIndex } from '../common/domain/batch-path.ts';
import type { Logger } from '../common/runtime/log.ts';
import { flag, text } from '../common/runtime/option-values.ts';
import type { Args } from '../common/runtime/options.ts';
import { parseDecryptionKeys, parseSigningKey } from './crypto/keys.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { SigningKey } from './crypto/signature.ts';
import { KeyFile } from './key-file.ts';
import { commonCredentialOptions, credentialOptions } from './storage-options.ts';
import { requireAll, type Need } from './ways.ts';
import { requiredStorage } from './wire.ts';

/*
 * Options that several commands share, and what they stand for.
 */

export const signingOptions = {
  'batch-signing-private-key': text({
    describe: 'private key that signs what is written: base64 of PKCS#8, P-256',
    example: 'MIGHAgEAMBMGByqG…',
    secret: true,
    legacyEnv: 'BATCH_SIGNING_PRIVATE_KEY',
  }),
  'batch-signing-private-key-file': text({
    describe: 'file with that key instead, read again when it changes',
    example: '/etc/dsp/batch-signing/secret_key',
  }),
  'batch-signing-private-key-identifier': text({
    describe: 'name under which others look its public key up',
    example: 'us-ct-g-enpa-batch-signing-key',
    legacyEnv: 'BATCH_SIGNING_PRIVATE_KEY_IDENTIFIER',
  }),
  'batch-signing-private-key-default-identifier': text({
    describe: 'that name where --batch-signing-private-key-identifier is not given',
    example: 'us-ct-g-enpa-batch-signing-key',
    legacyEnv: 'BATCH_SIGNING_PRIVATE_KEY_DEFAULT_IDENTIFIER',
  }),
} as const;

/** @throws UsageError if neither identifier is given */
export function requireSigningKeyIdentifier(args: Args<typeof signingOptions>): string {
  const identifier =
    args['batch-signing-private-key-identifier'] ?? args['batch-signing-private-key-default-identifier'];
  if (identifier !== undefined) return identifier;
  throw new UsageError(
    'missing --batch-signing-private-key-identifier; example: --batch-signing-private-key-identifier us-ct-g-enpa-batch-signing-key',
  );
}

/** @throws UsageError unless there is one key, with an identifier */
export function checkSigningOptions(args: Args<typeof signingOptions>): void {
  requireAll(signingNeeds(args));
  requireSigningKeyIdentifier(args);
}

/** @throws UsageError for a key that is given twice */
function signingNeeds(args: Args<typeof signingOptions>): readonly Need[] {
  return [keyNeed(args, 'batch-signing-private-key', 'MIGHAgEAMBMGByqG…')];
}

/** The key as it is whenever that is asked. @throws KeyInvalid, ConfigurationInvalid for a file that cannot be read */
export function signingKeyOf(args: Args<typeof signingOptions>, log: Logger): Promise<KeyLookup<SigningKey>> {
  const identifier = requireSigningKeyIdentifier(args);
  const parse = (text: string, what: string): SigningKey => parseSigningKey(text, identifier, what);
  return keyLookup(args, 'batch-signing-private-key', parse, log);
}

export const aggregationIdOption = {
  'aggregation-id': text({ describe: 'name of the aggregation', example: 'kittens-seen', required: true }),
} as const;

/** What a server needs for any batch, in intake and aggregate. */
export const serverOptions = {
  ...signingOptions,
  'is-first': flag({
    describe: 'whether this is the PHA’s server, which gets the first share',
    required: true,
    legacyEnv: 'IS_FIRST',
  }),
  'packet-decryption-keys': text({
    describe:
      'keys that open packets, tried in this order: comma-separated base64 of 97 bytes, public point and scalar',
    example: 'BIl6j+J6dYttxALd…',
    secret: true,
    legacyEnv: 'PACKET_DECRYPTION_KEYS',
  }),
  'packet-decryption-keys-file': text({
    describe: 'file with those keys instead, read again when it changes',
    example: '/etc/dsp/packet-decryption/secret_key',
  }),
  'ingestor-input': requiredStorage({ describe: 'where ingestion batches are', legacyEnv: 'INGESTOR_INPUT' }),
  ...credentialOptions('ingestor'),
  'permit-malformed-batch': flag({
    describe: 'read batches whose signature or digest does not verify, with a warning',
    default: false,
    legacyEnv: 'PERMIT_MALFORMED_BATCH',
  }),
  ...commonCredentialOptions,
} as const;

export function serverOf(args: { readonly 'is-first': boolean }): ServerIndex {
  return args['is-first'] ? 0 : 1;
}

/** @throws UsageError, for these needs and `others`, all that is missing at once */
export function checkServerOptions(args: Args<typeof serverOptions>, others: readonly Need[]): void {
  const decryption = keyNeed(args, 'packet-decryption-keys', 'BIl6j+J6dYttxALd…');
  requireAll([...signingNeeds(args), decryption, ...others]);
  requireSigningKeyIdentifier(args);
}

/** What a server opens packets and signs with. */
export interface OwnKeys {
  readonly decryptors: readonly PacketDecryptor[];
  readonly signingKey: SigningKey;
}

/** The keys as they are whenever that is asked. @throws KeyInvalid, ConfigurationInvalid for a file that cannot be read */
export async function ownKeysOf(args: Args<typeof serverOptions>, log: Logger): Promise<KeyLookup<OwnKeys>> {
  const decryptors = await keyLookup(args, 'packet-decryption-keys', parseDecryptionKeys, log);
  const signingKey = await signingKeyOf(args, log);
  return async () => ({ decryptors: await decryptors(), signingKey: await signingKey() });
}

/** To be called whenever a task begins: keys in files may be rotated. */
export type KeyLookup<K> = () => Promise<K>;

type WaysToGiveKeys<N extends string> = Readonly<Record<N | `${N}-file`, string | undefined>>;

function keyNeed<const N extends string>(args: WaysToGiveKeys<N>, name: N, example: string): Need {
  const file = `${name}-file` as const;
  const [value, path] = [args[name], args[file]];
  if (value !== undefined && path !== undefined) {
    throw new UsageError(`both --${name} and --${file} are given; give one of them; example: --${file} ${path}`);
  }
  const isGiven = value !== undefined || path !== undefined;
  return { options: `--${name} or --${file}`, example: `--${name} ${example}`, isGiven };
}

async function keyLookup<const N extends string, K>(
  args: WaysToGiveKeys<N>,
  name: N,
  parse: (text: string, what: string) => K,
  log: Logger,
): Promise<KeyLookup<K>> {
  const path = args[`${name}-file` as const];
  if (path !== undefined) {
    const file = await KeyFile.open({ path, option: `--${name}-file`, parse, log });
    return () => file.current();
  }
  // `keyNeed` has seen to it that there is one of the two.
  const keys = parse(args[name]!, `--${name}`);
  return async () => keys;
}
