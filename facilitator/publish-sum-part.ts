import type { Logger } from 'pino';
import type { BatchKeys } from '../common/domain/batch-path.ts';
import { ConfigurationInvalid, PermissionDenied } from '../common/errors.ts';
import type { Storage } from '../common/ports/storage.ts';
import { hasObject } from '../common/runtime/read-object.ts';
import { encodeSignature } from './batch/encode-batch.ts';
import type { EncodedSumPart } from './batch/sum-part.ts';
import type { SigningKey } from './crypto/signature.ts';
import { SumPartContradicted } from './errors.ts';
import { isSignedAs, requireSame } from './same-sum-part.ts';
import { LeftoverFiles } from './sum-part-files.ts';

/** Where sum parts go. */
export interface PublishingSetup {
  readonly portalOutput: Storage;
  /** Where copies of sum parts are kept, with our own validation batches; without it none are. */
  readonly ownOutput?: Storage | undefined;
  readonly signingKey: SigningKey;
  readonly log: Logger;
}

/** Copies of sum parts are kept under it. */
export const COPY_PREFIX = 'sum-parts/';

/**
 * Whether the portal's storage lets us see if a sum part is published; for the time before any work.
 * @throws ConfigurationInvalid if it does not and there is no storage for a copy, so that nothing could tell
 */
export async function canSeePublished(
  signatureKey: string,
  { portalOutput, ownOutput }: Pick<PublishingSetup, 'portalOutput' | 'ownOutput'>,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await hasObject(portalOutput, signatureKey, { signal });
    return true;
  } catch (cause) {
    if (!(cause instanceof PermissionDenied)) throw cause;
    if (ownOutput) return false;
    throw new ConfigurationInvalid(
      `we may not read ${portalOutput.url}, so nothing can tell whether a sum part is published there already; give --own-output, where a copy of each is kept for that, or the right to read`,
      { cause },
    );
  }
}

/**
 * Publishes a sum part, unless it is published already: once its `.sig` is there, it is never replaced.
 * docs/protocol.md, "Publishing".
 * @returns whether it is published by this call
 * @throws SumPartContradicted if another one is published, or kept as a copy; nothing of it has changed then
 * @throws ConfigurationInvalid as `canSeePublished`
 */
export async function publishSumPart(
  part: EncodedSumPart,
  setup: PublishingSetup,
  signal?: AbortSignal,
): Promise<boolean> {
  return (await canSeePublished(part.keys.signature, setup, signal))
    ? publishSeeing(part, setup, signal)
    : publishBlindly(part, setup, signal);
}

async function publishSeeing(part: EncodedSumPart, setup: PublishingSetup, signal?: AbortSignal): Promise<boolean> {
  const { portalOutput, signingKey } = setup;
  const { keys } = part;
  const files = new LeftoverFiles(portalOutput, part, setup, signal);
  if (!(await hasObject(portalOutput, keys.signature, { signal }))) {
    await keepCopy(part, setup, signal);
    const isOurs =
      (await files.replaceLeftovers()) &&
      (await portalOutput.createIfAbsent(keys.signature, signatureOf(part, signingKey), { signal })) !== undefined;
    if (isOurs) {
      await files.mend();
      return true;
    }
  }
  if (await isSignedAs(part, portalOutput, keys, signingKey, signal)) await files.mend();
  else {
    await files.restore();
    await requireSame(part, portalOutput, keys, setup, signal);
  }
  return false;
}

/**
 * The copy decides what is published, so whoever comes as far as the portal writes the same bytes as all others, and
 * there is nothing to see.
 */
async function publishBlindly(part: EncodedSumPart, setup: PublishingSetup, signal?: AbortSignal): Promise<boolean> {
  const { portalOutput, signingKey, log } = setup;
  const { keys, files } = part;
  await requireCopyOfPublished(keys, setup, signal);
  await keepCopy(part, setup, signal);
  for (const [key, bytes] of [
    [keys.packets, files.packetFile],
    [keys.header, files.headerFile],
  ] as const) {
    if ((await portalOutput.createIfAbsent(key, bytes, { signal })) !== undefined) continue;
    try {
      await portalOutput.put(key, bytes, { signal });
    } catch (err) {
      if (!(err instanceof PermissionDenied)) throw err;
      // Some may create objects, but neither read nor replace them. What is there is what a holder of the copy wrote.
      log.warn({ object: key }, 'object is there already and may not be replaced, so it is left as it is');
    }
  }
  const created = await portalOutput.createIfAbsent(keys.signature, signatureOf(part, signingKey), { signal });
  return created !== undefined;
}

/**
 * What was published before copies were kept must not be replaced either. Some may list what they may not read.
 * @throws SumPartContradicted if a sum part is seen to be published that we have no copy of
 */
async function requireCopyOfPublished(keys: BatchKeys, setup: PublishingSetup, signal?: AbortSignal): Promise<void> {
  const { portalOutput, ownOutput } = setup;
  // The copy last: where another execution is publishing, it is there before the `.sig`.
  if (!(await isListed(portalOutput, keys.signature, signal))) return;
  if (ownOutput && (await hasObject(ownOutput, copyOf(keys).signature, { signal }))) return;
  throw new SumPartContradicted(
    `a sum part ${keys.signature} is in ${portalOutput.url} already, which we may not read, and there is no copy of it in --own-output, so that nobody can tell whether it is the one computed now; it stays as it is`,
  );
}

/** False also where we may not list. */
async function isListed(storage: Storage, key: string, signal?: AbortSignal): Promise<boolean> {
  try {
    for await (const listed of storage.list({ prefix: key, signal })) if (listed === key) return true;
  } catch (err) {
    if (!(err instanceof PermissionDenied)) throw err;
  }
  return false;
}

/**
 * Keeps a copy of the sum part, as one object: it is there as a whole or not at all, so of several executions that
 * computed different sum parts one is decided on, before any of them has touched the portal's storage.
 * @throws SumPartContradicted if there is a copy of another one
 */
async function keepCopy(part: EncodedSumPart, setup: PublishingSetup, signal?: AbortSignal): Promise<void> {
  const { ownOutput, signingKey } = setup;
  if (!ownOutput) return;
  const { keys, files } = part;
  const copy = copyOf(keys);
  const object = encodeSignature(copy, files, signingKey.identifier, files.packetFile);
  if ((await ownOutput.createIfAbsent(copy.signature, object, { signal })) !== undefined) return;
  if (await isSignedAs(part, ownOutput, copy, signingKey, signal)) return;
  await requireSame(part, ownOutput, copy, setup, signal);
}

const copyOf = ({ header, packets, signature }: BatchKeys): BatchKeys => ({
  header: COPY_PREFIX + header,
  packets: COPY_PREFIX + packets,
  signature: COPY_PREFIX + signature,
});

const signatureOf = ({ keys, files }: EncodedSumPart, { identifier }: SigningKey): Buffer =>
  encodeSignature(keys, files, identifier);
