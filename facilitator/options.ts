import { UsageError } from '../common/errors.ts';
import type { ServerIndex } from '../common/domain/batch-path.ts';
import { flag, text } from '../common/runtime/option-values.ts';
import type { Args } from '../common/runtime/options.ts';
import { parseDecryptionKeys, parseSigningKey, parseVerificationKey } from './crypto/keys.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { SigningKey, VerificationKeys } from './crypto/signature.ts';
import { requiredStorage } from './wire.ts';

/*
 * Options that several commands share, and what they stand for. Public keys count as secrets too, because the
 * reference's habit of giving a private key in their place is accepted.
 */

const KEY_EXAMPLE = 'MFkwEwYHKoZIzj0C…';

export const signingOptions = {
  'batch-signing-private-key': text({
    describe: 'private key that signs what is written: base64 of PKCS#8, P-256',
    example: 'MIGHAgEAMBMGByqG…',
    required: true,
    secret: true,
    legacyEnv: 'BATCH_SIGNING_PRIVATE_KEY',
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

/** @throws KeyInvalid */
export function signingKeyOf(args: Args<typeof signingOptions>): SigningKey {
  return parseSigningKey(
    args['batch-signing-private-key'],
    requireSigningKeyIdentifier(args),
    '--batch-signing-private-key',
  );
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
    required: true,
    secret: true,
    legacyEnv: 'PACKET_DECRYPTION_KEYS',
  }),
  'ingestor-input': requiredStorage({ describe: 'where ingestion batches are', legacyEnv: 'INGESTOR_INPUT' }),
  'ingestor-public-key': text({
    describe: 'key that verifies ingestion batches: SPKI PEM, or base64 of SPKI, PKCS#8 or a raw point',
    example: KEY_EXAMPLE,
    required: true,
    secret: true,
  }),
  'ingestor-public-key-identifier': text({
    describe: 'name of that key in signatures',
    example: 'ingestor-key-1',
    required: true,
  }),
  'permit-malformed-batch': flag({
    describe: 'read batches whose signature or digest does not verify, with a warning',
    default: false,
    legacyEnv: 'PERMIT_MALFORMED_BATCH',
  }),
} as const;

export const peerKeyOptions = {
  'peer-public-key': text({
    describe: 'key that verifies the peer’s validation batches: SPKI PEM, or base64 of SPKI, PKCS#8 or a raw point',
    example: KEY_EXAMPLE,
    required: true,
    secret: true,
  }),
  'peer-public-key-identifier': text({
    describe: 'name of that key in signatures',
    example: 'peer-batch-signing-key',
    required: true,
  }),
} as const;

export function serverOf(args: { readonly 'is-first': boolean }): ServerIndex {
  return args['is-first'] ? 0 : 1;
}

/** @throws KeyInvalid */
export function decryptorsOf(args: { readonly 'packet-decryption-keys': string }): PacketDecryptor[] {
  return parseDecryptionKeys(args['packet-decryption-keys'], '--packet-decryption-keys');
}

/** @throws KeyInvalid */
export function ingestorKeysOf(
  args: Pick<Args<typeof serverOptions>, 'ingestor-public-key' | 'ingestor-public-key-identifier'>,
): VerificationKeys {
  const key = parseVerificationKey(args['ingestor-public-key'], '--ingestor-public-key');
  return new Map([[args['ingestor-public-key-identifier'], key]]);
}

/** @throws KeyInvalid */
export function peerKeysOf(args: Args<typeof peerKeyOptions>): VerificationKeys {
  const key = parseVerificationKey(args['peer-public-key'], '--peer-public-key');
  return new Map([[args['peer-public-key-identifier'], key]]);
}
