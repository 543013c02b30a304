import { resolveReference, type AggregateTask, type AggregateTaskReference } from '../common/domain/task.ts';
import { ConfigurationInvalid, ObjectMissing, TaskMalformed } from '../common/errors.ts';
import type { Storage, StoredObject } from '../common/ports/storage.ts';

/** Bytes; room for some 750000 batches. */
export const MAX_CLAIM_BYTES = 64 * 1024 * 1024;

/**
 * The task that a message refers to, from the claim beside our own validation batches. docs/protocol.md, "Tasks".
 * @param ownInput where our own validation batches are, if that is known
 * @throws ConfigurationInvalid if it is not; ObjectMissing if the claim is not there; TaskMalformed if the claim is not
 *   what the message says, or longer than `MAX_CLAIM_BYTES`
 */
export async function readClaimedTask(
  reference: AggregateTaskReference,
  ownInput: Storage | undefined,
  signal?: AbortSignal,
): Promise<AggregateTask> {
  const key = reference.batchesObject;
  if (!ownInput) {
    throw new ConfigurationInvalid(
      `the batches of the task are listed in the object ${key}, which cannot be read without --own-input; give the publisher's --own-validation-input`,
    );
  }
  const bytes = await readLimited(await claimIn(ownInput, key, signal), `the object ${key} in ${ownInput.url}`);
  return resolveReference(reference, bytes);
}

async function claimIn(storage: Storage, key: string, signal: AbortSignal | undefined): Promise<StoredObject> {
  try {
    return await storage.get(key, { signal });
  } catch (cause) {
    if (!(cause instanceof ObjectMissing)) throw cause;
    const message = `the batches of the task are listed in the object ${key}, which is not in ${storage.url}; is --own-input the publisher's --own-validation-input?`;
    throw new ObjectMissing(message, { cause });
  }
}

async function readLimited({ size, body }: StoredObject, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // From within the loop, as its end lets go of what the body holds open.
    if (Math.max(bytes, size) > MAX_CLAIM_BYTES) {
      throw new TaskMalformed(`${what} has more than ${MAX_CLAIM_BYTES} bytes, which no list of batches needs`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
