import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { GcsClient } from '../../../../common/backends/storage/gcs-client.ts';
import { GCS_TUNING, type GcsTuning } from '../../../../common/backends/storage/gcs-tuning.ts';
import { openGcs } from '../../../../common/backends/storage/gcs.ts';
import type { StorageSettings } from '../../../../common/backends/storage/settings.ts';
import type { Storage } from '../../../../common/ports/storage.ts';

/** A request as the server got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Answer = (response: ServerResponse, request: SeenRequest) => void;

/** Answers as a test says: one after the other, the last again and again. */
export class ScriptedGcs implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  connections = 0;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #arrivals = new EventEmitter();
  readonly #answers: Answer[];

  private constructor(answers: readonly Answer[]) {
    this.#answers = [...answers];
    this.#server.on('connection', () => this.connections++);
  }

  static async start(...answers: readonly Answer[]): Promise<ScriptedGcs> {
    const scripted = new ScriptedGcs(answers);
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** A storage whose client is quick to give up. */
  storage(settings: StorageSettings & Partial<GcsTuning> = {}, location = 'gs://bucket/p'): Storage {
    const tuning = { ...GCS_TUNING, retries: 2, maxRetryDelayMs: 5, endpoint: this.url, ...settings };
    const client = GcsClient.create(undefined, tuning);
    return openGcs(location, settings, () => client)!;
  }

  /** Resolves once there have been so many requests. */
  async seen(count: number): Promise<void> {
    while (this.requests.length < count) await once(this.#arrivals, 'request');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const { method = '', headers } = request;
    const seen = { method, path: pathname, query: searchParams, headers, body: await buffer(request) };
    this.requests.push(seen);
    this.#arrivals.emit('request');
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    answer?.(response, seen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function json(status: number, data: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers });
    response.end(JSON.stringify(data));
  };
}

/** As Google tells its errors. */
export function error(status: number, message: string, reason = 'test'): Answer {
  return json(status, { error: { code: status, message, errors: [{ message, reason, domain: 'global' }] } });
}

export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=UTF-8', ...headers });
    response.end(body);
  };
}

export const nothing: Answer = (response) => void response.writeHead(204).end();

/** The connection breaks before there is an answer. */
export const reset: Answer = (response) => void response.socket?.resetAndDestroy();

/** The connection breaks within the answer, which Google's HTTP client may notice only by its timeout. */
export const resetMidway: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"gener', () => response.socket?.resetAndDestroy());
};

/** The body of an object. */
export function media(body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const all = { 'x-goog-generation': '7', 'x-goog-stored-content-length': String(body.length), ...headers };
  return text(200, body, all);
}
