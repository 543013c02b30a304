import type { ObjectBody } from '../../ports/storage.ts';
import { chunksOf } from './chunks.ts';

const CHUNK_BYTES = 256 * 1024;

/** The whole body, copied, as the caller may reuse its buffers. Aborts and errors as `chunksOf`. */
export async function collectBody(body: ObjectBody, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(body, signal)) chunks.push(Buffer.from(chunk));
  signal?.throwIfAborted();
  return Buffer.concat(chunks);
}

/** The bytes in chunks, copied, as the consumer may write into its chunks. */
export async function* copiesOf(
  bytes: Buffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    signal?.throwIfAborted();
    yield Buffer.from(bytes.subarray(at, at + CHUNK_BYTES));
  }
}
