import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectS3 } from '../../common/backends/storage/s3-client.ts';
import { parseS3Location } from '../../common/backends/storage/s3-location.ts';
import { S3Requests } from '../../common/backends/storage/s3-requests.ts';
import { S3Storage } from '../../common/backends/storage/s3-storage.ts';
import type { StorageRequest } from '../../common/backends/storage/settings.ts';
import type { Storage } from '../../common/ports/storage.ts';

export interface S3Request {
  readonly method: string;
  /** Decoded, with the bucket: `/bucket/a/b`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * `reset` closes the connection without an answer, `cutAt` after so many bytes of the body; one that `stalls` sends the
 * body, but promises a byte more.
 */
export type S3Answer =
  | 'reset'
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
      readonly cutAt?: number;
      readonly stalls?: boolean;
    };

export interface ScriptedS3 extends AsyncDisposable {
  readonly url: string;
  readonly storage: Storage;
  /** What came in, in order. */
  readonly requests: readonly S3Request[];
  /** What the storage told of. */
  readonly counted: readonly StorageRequest[];
  /** How many connections there were. */
  readonly connections: () => number;
  /** Once the client has closed a connection in the middle of an answer. */
  readonly cutOff: Promise<void>;
}

/**
 * A service that answers as it is told, and a storage over it.
 * @param answer is given each request and how many there were before
 */
export async function scriptedS3(
  answer: (request: S3Request, n: number) => S3Answer | Promise<S3Answer>,
  { location = 's3://eu-west-1/bucket', maxAttempts = 3 } = {},
): Promise<ScriptedS3> {
  const requests: S3Request[] = [];
  const counted: StorageRequest[] = [];
  let onCutOff = (): void => {};
  const cutOff = new Promise<void>((resolve) => (onCutOff = resolve));
  const server = createServer((incoming, response) => {
    response.on('close', () => response.writableFinished || onCutOff());
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://127.0.0.1');
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = '', headers } = incoming;
      const path = decodeURIComponent(pathname);
      const request = { method, path, query: searchParams, headers, body: Buffer.concat(parts) };
      requests.push(request);
      void Promise.resolve(answer(request, requests.length - 1)).then((told) => respond(response, told));
    });
  });
  let connected = 0;
  server.on('connection', () => connected++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on TCP, it has an address of this form.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'key-id', secretAccessKey: 'secret' };
  const connection = connectS3({ region: 'eu-west-1', endpoint: url, credentials, maxAttempts });
  const parsed = parseS3Location(location);
  if (!parsed) throw new Error(`${location} is no location`);
  return {
    url,
    storage: new S3Storage(
      parsed,
      new S3Requests(
        () => connection,
        (request) => counted.push(request),
      ),
    ),
    requests,
    counted,
    connections: () => connected,
    cutOff,
    async [Symbol.asyncDispose]() {
      (await connection).client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function respond(response: ServerResponse, told: S3Answer): void {
  if (told === 'reset') {
    response.destroy();
    return;
  }
  const { status = 200, headers = {}, body = '', cutAt, stalls = false } = told;
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-length': bytes.length + (stalls ? 1 : 0), ...headers });
  if (stalls) response.write(bytes);
  else if (cutAt === undefined) response.end(bytes);
  else response.write(bytes.subarray(0, cutAt), () => response.destroy());
}

/** An error as S3 tells it. */
export function s3Error(status: number, code: string, more: Readonly<Record<string, string>> = {}): S3Answer {
  const members = Object.entries({ Code: code, Message: `about ${code}`, ...more });
  const xml = members.map(([name, value]) => `<${name}>${value}</${name}>`).join('');
  return { status, body: `<?xml version="1.0" encoding="UTF-8"?><Error>${xml}</Error>` };
}

/** A page of a listing: keys, common prefixes (with a slash at the end), and the token of the next page if there is one. */
export function s3Page(
  names: readonly string[],
  { token, encode = true }: { token?: string; encode?: boolean } = {},
): S3Answer {
  const written = (name: string): string => (encode ? encodeURIComponent(name).replaceAll('%20', '+') : name);
  const entries = names.map((name) =>
    name.endsWith('/')
      ? `<CommonPrefixes><Prefix>${written(name)}</Prefix></CommonPrefixes>`
      : `<Contents><Key>${written(name)}</Key><Size>1</Size></Contents>`,
  );
  const next = token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`;
  const encoding = encode ? '<EncodingType>url</EncodingType>' : '';
  const body = `<IsTruncated>${token !== undefined}</IsTruncated>${next}${encoding}${entries.join('')}`;
  return { body: `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>${body}</ListBucketResult>` };
}
