import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import pRetry from 'p-retry';
import { StorageUnavailable } from '../../errors.ts';
import type { ObjectBody, ObjectVersion } from '../../ports/storage.ts';
import { chunksOf } from './chunks.ts';
import type { S3Connection } from './s3-client.ts';
import { isConflict, isRefusal, type S3Action } from './s3-errors.ts';
import { named, requestOptions, type S3Requests } from './s3-requests.ts';

/** Up to here a body is sent by one request; larger ones in parts of as much, of which S3 takes 10,000. */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

const CONFLICT_RETRIES = 4;
const CONFLICT_DELAY_MS = 50;

/** On which state of the object a write insists. */
export type S3Condition = Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>;

export interface S3Target extends S3Condition {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Stores a body, whole or not at all. Errors of the body pass through as they are.
 * @returns the new ETag, `undefined` if the condition does not hold
 */
export async function writeObject(
  requests: S3Requests,
  action: S3Action,
  target: S3Target,
  body: ObjectBody,
  signal: AbortSignal | undefined,
): Promise<ObjectVersion | undefined> {
  // Buckets that belong to others would otherwise hold what their owners may not read.
  const input = { ...target, ACL: 'bucket-owner-full-control' } as const;
  if (body instanceof Uint8Array && body.length <= PART_BYTES) {
    return writeAtOnce(requests, action, { ...input, Body: body }, signal);
  }
  // Ends the reading of the body, too, once a request has failed.
  const stop = new AbortController();
  const source = chunksOf(body, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal);
  const head: Buffer[] = [];
  let bytes = 0;
  while (bytes <= PART_BYTES) {
    const next = await source.next();
    if (next.done === true) {
      signal?.throwIfAborted();
      return writeAtOnce(requests, action, { ...input, Body: Buffer.concat(head) }, signal);
    }
    // The caller may reuse its buffers.
    head.push(Buffer.from(next.value));
    bytes += next.value.length;
  }
  return writeInParts(requests, action, input, joined(head, source), stop, signal);
}

async function writeAtOnce(
  requests: S3Requests,
  action: S3Action,
  input: PutObjectCommandInput & { readonly Body: Uint8Array },
  signal: AbortSignal | undefined,
): Promise<ObjectVersion | undefined> {
  const put = (): Promise<{ ETag?: string | undefined }> =>
    requests.send(
      'put',
      ({ sdk, client }, options) => client.send(new sdk.PutObjectCommand(input), options),
      signal,
      input.Body.length,
    );
  // The library does not repeat what had a conflict.
  const retry = { retries: CONFLICT_RETRIES, minTimeout: CONFLICT_DELAY_MS, randomize: true };
  return named(action, signal, () =>
    versionUnlessRefused(action, () =>
      pRetry(put, { ...retry, ...(signal ? { signal } : {}), shouldRetry: ({ error }) => isConflict(error) }),
    ),
  );
}

async function writeInParts(
  requests: S3Requests,
  action: S3Action,
  input: PutObjectCommandInput,
  body: AsyncIterable<Uint8Array>,
  stop: AbortController,
  signal: AbortSignal | undefined,
): Promise<ObjectVersion | undefined> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  let bodyFailure: { readonly reason: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (reason) {
      // What we stopped ourselves has failed for another reason.
      if (!stop.signal.aborted) bodyFailure = { reason };
      throw reason;
    }
  }
  const connection = await requests.connection();
  let requestFailure: { readonly reason: unknown } | undefined;
  const onFailure = (reason: unknown): void => {
    requestFailure ??= { reason };
    stop.abort(reason);
  };
  const upload = new Upload({
    client: partsClient(connection, requests, onFailure, signal),
    params: { ...input, Body: Readable.from(watched()) },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_ONCE,
    leavePartsOnError: false,
  });
  const done = async (): Promise<{ ETag?: string | undefined }> => {
    try {
      return await upload.done();
    } catch (err) {
      throw requestFailure ? requestFailure.reason : err;
    }
  };
  try {
    return await named(action, signal, () => versionUnlessRefused(action, done));
  } catch (err) {
    signal?.throwIfAborted();
    throw bodyFailure && !requestFailure ? bodyFailure.reason : err;
  }
}

/** The client as `Upload` uses it, whose requests are the storage's: counted, with our limits, aborted by the signal. */
function partsClient(
  { sdk, client }: S3Connection,
  requests: S3Requests,
  onFailure: (reason: unknown) => void,
  signal: AbortSignal | undefined,
): S3Client {
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    requests.count('put');
    if (command instanceof sdk.AbortMultipartUploadCommand) {
      // What went wrong before is to be told. Parts that stay are for the bucket's lifecycle rule.
      return client.send(command, requestOptions(undefined, 0)).catch(() => ({}));
    }
    try {
      return await client.send(command, requestOptions(signal, PART_BYTES));
    } catch (err) {
      onFailure(err);
      throw err;
    }
  };
  // `Upload` calls no other method; `config` is the client's own.
  return Object.create(client, { send: { value: send } }) as S3Client;
}

async function versionUnlessRefused(
  { key = '', location }: S3Action,
  write: () => Promise<{ ETag?: string | undefined }>,
): Promise<ObjectVersion | undefined> {
  try {
    const { ETag } = await write();
    if (ETag === undefined) throw new StorageUnavailable(`S3 gives no ETag of '${key}' in ${location.url}`);
    return ETag;
  } catch (err) {
    if (isRefusal(err)) return undefined;
    throw err;
  }
}

async function* joined(
  head: readonly Buffer[],
  source: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* head;
  for await (const chunk of source) yield Buffer.from(chunk);
}
