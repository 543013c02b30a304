import { answerTimeoutMs, type S3Connection } from './s3-client.ts';
import { s3Failure, type S3Action } from './s3-errors.ts';
import type { StorageRequest, StorageSettings } from './settings.ts';

/** What each call of the library is given besides its command. */
export interface S3RequestOptions {
  readonly abortSignal?: AbortSignal;
  readonly requestTimeout: number;
}

/** How one storage talks to S3: requests are counted and limited in time. */
export class S3Requests {
  readonly #connect: () => Promise<S3Connection>;
  readonly #onRequest: StorageSettings['onRequest'];

  constructor(connect: () => Promise<S3Connection>, onRequest?: StorageSettings['onRequest']) {
    this.#connect = connect;
    this.#onRequest = onRequest;
  }

  connection(): Promise<S3Connection> {
    return this.#connect();
  }

  count(request: StorageRequest): void {
    this.#onRequest?.(request);
  }

  /**
   * One request, counted if it is named.
   * @param bytes of the body that is sent
   * @throws whatever `call` does
   */
  async send<T>(
    request: StorageRequest | undefined,
    call: (connection: S3Connection, options: S3RequestOptions) => Promise<T>,
    signal: AbortSignal | undefined,
    bytes = 0,
  ): Promise<T> {
    const connection = await this.#connect();
    signal?.throwIfAborted();
    if (request !== undefined) this.count(request);
    return call(connection, requestOptions(signal, bytes));
  }
}

export function requestOptions(signal: AbortSignal | undefined, bytes: number): S3RequestOptions {
  return { requestTimeout: answerTimeoutMs(bytes), ...(signal ? { abortSignal: signal } : {}) };
}

/** Runs calls of the library and names their failures; after an abort it throws the signal's reason. */
export async function named<T>(action: S3Action, signal: AbortSignal | undefined, io: () => Promise<T>): Promise<T> {
  try {
    return await io();
  } catch (err) {
    signal?.throwIfAborted();
    throw s3Failure(action, err);
  }
}
