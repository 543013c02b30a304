import type * as Library from '@aws-sdk/client-s3';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** The library and a client of it. */
export interface S3Connection {
  readonly sdk: typeof Library;
  readonly client: S3Client;
}

export type S3Credentials = NonNullable<S3ClientConfig['credentials']>;

/** What differs between clients. Without `credentials` the library looks for them, without `endpoint` for an address. */
export interface S3ClientSettings {
  readonly region: string;
  readonly credentials?: S3Credentials;
  readonly endpoint?: string;
  /** How often a request is tried. */
  readonly maxAttempts?: number;
}

const MAX_ATTEMPTS = 5;
const CONNECTION_TIMEOUT_MS = 5_000;
/** All attempts together thus take about a minute. */
const ANSWER_TIMEOUT_MS = 10_000;
/** An upload that is slower, 4 Mbit/s, counts as hung. */
const MIN_UPLOAD_BYTES_PER_MS = 512;
/** A run of the publisher has 100 requests under way. */
const MAX_SOCKETS = 128;

let library: Promise<S3Connection['sdk']> | undefined;
const connections = new Map<string, Promise<S3Connection>>();

/**
 * The client of this process for a region and what `credentialsKey` stands for, whose `credentials` are; made when it
 * is first asked for.
 * Its address is Amazon's, or where `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` say.
 */
export function sharedS3(
  region: string,
  credentialsKey: string,
  credentials: S3Credentials | undefined,
): Promise<S3Connection> {
  const name = `${region} ${credentialsKey}`;
  const connection = connections.get(name) ?? connectS3({ region, ...(credentials ? { credentials } : {}) });
  connections.set(name, connection);
  return connection;
}

/** A client of its own, for tests that shorten attempts or have several services. */
export async function connectS3(settings: S3ClientSettings): Promise<S3Connection> {
  const sdk = await (library ??= import('@aws-sdk/client-s3'));
  const client = new sdk.S3Client({
    retryMode: 'standard',
    maxAttempts: MAX_ATTEMPTS,
    ...settings,
    // There are no certificates for names with dots, and no host for each bucket where it is not Amazon's.
    forcePathStyle: true,
    // Else each large body goes over a new connection.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: answerTimeoutMs(0),
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  });
  return { sdk, client };
}

/** How long one attempt to send a body of so many bytes may take until the answer begins. */
export function answerTimeoutMs(bytes: number): number {
  return ANSWER_TIMEOUT_MS + Math.ceil(bytes / MIN_UPLOAD_BYTES_PER_MS);
}
