import { pipeline } from 'node:stream/promises';
import { StorageUnavailable } from '../../errors.ts';
import type { ObjectBody, ObjectVersion } from '../../ports/storage.ts';
import { chunksOf } from './chunks.ts';
import type { GcsBucket } from './gcs-bucket.ts';
import type { GcsClient } from './gcs-client.ts';
import { gcsFailure, missingBucket, statusOf, tellsBucketMissing, textOf, type GcsAction } from './gcs-errors.ts';

/** To here an object is one request; above, it goes in parts, each of which can be repeated. */
const AT_ONCE_BYTES = 5 * 1024 * 1024;
/** A multiple of 256 KiB. Held in memory for a repetition. */
const PART_BYTES = 8 * 1024 * 1024;
/** Smaller chunks are put together: each takes some time in Google's library. */
const BLOCK_BYTES = 256 * 1024;

const PRECONDITION_FAILED = 412;
const NOT_FOUND = 404;

export interface GcsUpload {
  readonly action: GcsAction;
  /** In the bucket. */
  readonly name: string;
  readonly body: ObjectBody;
  /** Which generation is replaced: '0' for none, `undefined` for any. */
  readonly ifGeneration: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Stores an object, whole or not at all. About 24 MiB of it are in memory at most, besides the chunk that comes in.
 * @returns its generation, `undefined` if the condition does not hold; also if it does not hold any more because an
 *   attempt came through whose answer was lost
 */
export async function gcsUpload(bucket: GcsBucket, upload: GcsUpload): Promise<ObjectVersion | undefined> {
  const { body, signal } = upload;
  if (body instanceof Uint8Array && body.length <= AT_ONCE_BYTES) {
    return uploadAtOnce(bucket, upload, Buffer.from(body.buffer, body.byteOffset, body.length));
  }
  const client = await bucket.open(upload.action);
  const chunks = chunksOf(body instanceof Uint8Array ? slicesOf(body) : body, signal);
  const { head, isWhole } = await beginningOf(chunks);
  return isWhole ? uploadAtOnce(bucket, upload, head) : uploadInParts(bucket, client, upload, blocksOf(head, chunks));
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/insert with `uploadType=media` */
async function uploadAtOnce(
  bucket: GcsBucket,
  { action, name, ifGeneration, signal }: GcsUpload,
  body: Buffer,
): Promise<ObjectVersion | undefined> {
  const condition = ifGeneration === undefined ? '' : `&ifGenerationMatch=${ifGeneration}`;
  const path = `/upload${bucket.path}/o?uploadType=media&fields=generation${condition}&name=${encodeURIComponent(name)}`;
  const { status, data } = await bucket.send<unknown>(
    action,
    { method: 'POST', path, body, answer: 'json', expect: [PRECONDITION_FAILED, NOT_FOUND] },
    signal,
  );
  if (status === PRECONDITION_FAILED) return undefined;
  if (status === NOT_FOUND) return goneOrMissingBucket(action, JSON.stringify(data));
  return generationOf(action, data);
}

/** https://cloud.google.com/storage/docs/resumable-uploads, by Google's library. */
async function uploadInParts(
  bucket: GcsBucket,
  client: GcsClient,
  { action, name, ifGeneration, signal }: GcsUpload,
  blocks: AsyncGenerator<Buffer, void, undefined>,
): Promise<ObjectVersion | undefined> {
  const bodyFailures: unknown[] = [];
  let session: string | undefined;
  try {
    const file = client.storage.bucket(bucket.location.bucket).file(name);
    const sink = file.createWriteStream({
      resumable: true,
      chunkSize: PART_BYTES,
      contentType: 'application/octet-stream',
      // Takes a third of the time of the CRC32C that the library has in JavaScript.
      validation: 'md5',
      ...(ifGeneration === undefined ? {} : { preconditionOpts: { ifGenerationMatch: ifGeneration } }),
    });
    sink.once('uri', (url: string) => (session = url));
    await pipeline(noting(blocks, bodyFailures), sink, { ...(signal ? { signal } : {}) });
    return generationOf(action, file.metadata);
  } catch (err) {
    if (session !== undefined) await client.discardUpload(session);
    signal?.throwIfAborted();
    // The body's own errors are the caller's and keep their names.
    if (bodyFailures.length > 0) throw bodyFailures[0];
    const status = statusOf(err);
    if (status === PRECONDITION_FAILED) return undefined;
    if (status === NOT_FOUND) return goneOrMissingBucket(action, textOf(err));
    throw gcsFailure(action, err);
  }
}

/** An upload knows no other 404 than that of the bucket, but one that replaces may be told so of the object. */
function goneOrMissingBucket({ operation, bucket }: GcsAction, text: string): undefined {
  if (operation === 'replace' && !tellsBucketMissing(text)) return undefined;
  throw missingBucket(bucket);
}

function generationOf({ operation, key = '', url }: GcsAction, data: unknown): ObjectVersion {
  const generation =
    typeof data === 'object' && data !== null && 'generation' in data ? String(data.generation) : undefined;
  if (generation !== undefined && /^[1-9]\d*$/.test(generation)) return generation;
  throw new StorageUnavailable(`cannot ${operation} '${key}' in ${url}: the answer has no generation`);
}

/** Copies as much as goes at once, and one chunk more if there is one. */
async function beginningOf(chunks: AsyncGenerator<Uint8Array>): Promise<{ head: Buffer; isWhole: boolean }> {
  const head: Buffer[] = [];
  for (let size = 0; size <= AT_ONCE_BYTES;) {
    const next = await chunks.next();
    if (next.done === true) return { head: Buffer.concat(head), isWhole: true };
    // Copied, as the caller may reuse its buffers.
    head.push(Buffer.from(next.value));
    size += next.value.length;
  }
  return { head: Buffer.concat(head), isWhole: false };
}

async function* blocksOf(head: Buffer, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield head;
    let block: Buffer[] = [];
    let size = 0;
    for await (const chunk of rest) {
      block.push(Buffer.from(chunk));
      size += chunk.length;
      if (size < BLOCK_BYTES) continue;
      yield Buffer.concat(block);
      block = [];
      size = 0;
    }
    if (size > 0) yield Buffer.concat(block);
  } finally {
    // Also if nobody wants more than the beginning.
    await rest.return(undefined);
  }
}

/** Not copied: only what is under way is. */
async function* slicesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) yield bytes.subarray(at, at + BLOCK_BYTES);
}

/** Passes it on, and notes its failure, to tell it from one of the receiver. */
async function* noting<T>(source: AsyncIterable<T>, failures: unknown[]): AsyncGenerator<T, void, undefined> {
  try {
    yield* source;
  } catch (err) {
    failures.push(err);
    throw err;
  }
}
