import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KubeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** `body` is sent as JSON. Without an answer the connection is cut. */
export type KubeScript = (request: KubeRequest) => { readonly status: number; readonly body?: unknown } | undefined;

/** An HTTP server that answers as a test says, in place of a Kubernetes API server. */
export interface ScriptedKube extends AsyncDisposable {
  readonly url: string;
  /** The path of a kubeconfig that leads to it, with `TOKEN`. */
  readonly kubeConfigPath: string;
  /** So far, in order. */
  readonly requests: readonly KubeRequest[];
  /** TCP connections so far. */
  readonly connections: () => number;
}

export const TOKEN = 'token-that-nobody-may-see';

export async function scriptedKube(script: KubeScript): Promise<ScriptedKube> {
  const requests: KubeRequest[] = [];
  let connections = 0;
  const server = createServer((incoming, response) => {
    void requestOf(incoming).then((request) => {
      requests.push(request);
      respond(response, script(request));
    });
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  const directory = await mkdtemp(join(tmpdir(), 'dsp-kube-'));
  const kubeConfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeConfigPath, kubeConfigFor(url));
  return {
    url,
    kubeConfigPath,
    requests,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true });
    },
  };
}

/** For a server without TLS, which the client library uses only if it is to skip its verification. */
export function kubeConfigFor(server: string): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: TOKEN } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

async function requestOf(incoming: IncomingMessage): Promise<KubeRequest> {
  const chunks: Buffer[] = [];
  // Without an encoding, a request's chunks are buffers.
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  // Requests that a server receives have both.
  const { pathname, searchParams } = new URL(incoming.url!, 'http://127.0.0.1');
  return {
    method: incoming.method!,
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: incoming.headers,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

function respond(response: ServerResponse, answer: ReturnType<KubeScript>): void {
  if (!answer) {
    response.socket?.destroy();
    return;
  }
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
}
