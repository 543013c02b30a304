import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FETCH_DEFAULTS, type FetchSettings } from '../../../facilitator/manifest/fetch-document.ts';

export interface ManifestRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export type Answer = (response: ServerResponse, request: ManifestRequest) => void;

export interface ManifestServer extends AsyncDisposable {
  readonly base: string;
  readonly requests: readonly ManifestRequest[];
  /** What it answers from now on. */
  answer: Answer;
}

export const status =
  (code: number, body: string | Buffer = '', headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body);

/** Each answer once, the last again and again. */
export function inTurn(...answers: readonly [Answer, ...Answer[]]): Answer {
  let next = 0;
  return (response, request) => answers[Math.min(next++, answers.length - 1)]!(response, request);
}

export async function manifestServer(answer: Answer = status(404)): Promise<ManifestServer> {
  const requests: ManifestRequest[] = [];
  const server = createServer((incoming, response) => {
    const request = { path: incoming.url ?? '', headers: incoming.headers };
    requests.push(request);
    it.answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  const it: ManifestServer = {
    base: `http://127.0.0.1:${port}`,
    requests,
    answer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return it;
}

/** Hardly any waiting. */
export const FETCHING: FetchSettings = {
  ...FETCH_DEFAULTS,
  fetch: globalThis.fetch,
  retries: 2,
  minRetryDelayMs: 1,
  timeoutMs: 2000,
  allowLoopbackHttp: true,
};
