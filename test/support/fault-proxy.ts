import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** A request as it came in. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Which request this is, from 1. */
  readonly n: number;
  readonly headers: IncomingHttpHeaders;
}

/**
 * What goes wrong with a request:
 * - an answer of the proxy's own, once the request is read; the target does not hear of it;
 * - `reset`: the connection is reset, the target does not hear of it;
 * - `reset-after`: the target does what was asked, then the connection is reset instead of an answer;
 * - `reset-in-body`: likewise, but after the head and half of the answer's body; an answer without body is lost whole;
 * - `timeout`: the request is read and never answered, the target does not hear of it.
 */
export type Fault =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | 'reset'
  | 'reset-after'
  | 'reset-in-body'
  | 'timeout';

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** All so far, in order of arrival, whatever became of them. */
  readonly requests: readonly ProxiedRequest[];
}

export interface FaultProxyOptions {
  /**
   * Which Host header the target sees. The client's, by default, since signatures (AWS) cover it and addresses in
   * answers (upload sessions) are made of it; the target's for those that serve no other.
   */
  readonly host?: 'client' | 'target';
}

/**
 * An HTTP/1.1 proxy on 127.0.0.1 before the service at `targetUrl` (`http://…`), for tests of what can go wrong. Heads
 * are passed on as they are, bodies as they come.
 */
export async function startFaultProxy(
  targetUrl: string,
  decide: (request: ProxiedRequest) => Fault | undefined,
  { host = 'client' }: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const target = new URL(targetUrl);
  const requests: ProxiedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    // A server's requests have both.
    const seen = {
      method: incoming.method!,
      url: incoming.url!,
      n: requests.length + 1,
      headers: incoming.headers,
    };
    requests.push(seen);
    const fault = decide(seen);
    if (fault === undefined || fault === 'reset-after' || fault === 'reset-in-body') {
      forward(target, host === 'client' ? undefined : target.host, incoming, outgoing, fault);
    } else if (fault === 'reset') {
      incoming.socket.resetAndDestroy();
    } else {
      incoming.resume();
      if (fault !== 'timeout')
        incoming.once('end', () => outgoing.writeHead(fault.status, fault.headers).end(fault.body));
    }
  });
  // A slow test is no attack, and an idle connection must not turn into a fault that nobody decided on.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  const port = await listening(server, 0);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = closing(server);
      server.closeAllConnections();
      await closed;
    },
  };
}

function forward(
  target: URL,
  host: string | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: 'reset-after' | 'reset-in-body' | undefined,
): void {
  const { socket } = incoming;
  const lose = (): void => void socket.resetAndDestroy();
  const asked = request({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers: replaceHost(incoming.rawHeaders, host),
    // No connection is used twice: one that the target has closed meanwhile would be a fault of our own.
    agent: false,
  });
  // Whoever left is not worth the target's time; but what is lost after the fact is done in any case.
  if (fault === undefined) outgoing.once('close', () => asked.destroy());
  // Its errors are those of `asked`, or of the client, who knows.
  pipeline(incoming, asked, () => {});
  asked.on('error', lose);
  asked.once('response', (answer) => {
    if (fault === undefined) passOn(answer, outgoing, lose);
    else void loseAnswer(answer, outgoing, fault === 'reset-in-body').then(lose, lose);
  });
}

function passOn(answer: IncomingMessage, outgoing: ServerResponse, lose: () => void): void {
  writeHead(answer, outgoing);
  pipeline(answer, outgoing, (err) => {
    if (err) lose();
  });
}

/** Waits for the whole answer, which proves that the target is done, and writes half of it if wanted. */
async function loseAnswer(answer: IncomingMessage, outgoing: ServerResponse, isHalf: boolean): Promise<void> {
  const chunks: Buffer[] = [];
  // Nobody has set an encoding.
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (!isHalf || body.length === 0) return;
  writeHead(answer, outgoing);
  outgoing.flushHeaders();
  // The reset must not overtake it.
  await new Promise((resolve) => outgoing.write(body.subarray(0, Math.floor(body.length / 2)), resolve));
}

function writeHead(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.sendDate = false;
  // An answer has a status; raw, as names in other letters or values joined could be another answer.
  outgoing.writeHead(answer.statusCode!, answer.statusMessage, answer.rawHeaders);
}

function replaceHost(rawHeaders: readonly string[], host: string | undefined): string[] {
  // Names are at even places, each value behind its name.
  return rawHeaders.map((text, i) =>
    host !== undefined && i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'host' ? host : text,
  );
}

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** As the target's, at our port. */
  readonly url: string;
  /** Connections accepted so far, and those that are open now. */
  readonly connections: { readonly accepted: number; readonly open: number };
  /** Resets all connections; new ones are welcome. */
  cut(): void;
  /** Resets all connections and refuses others, as if nobody were there, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
}

/** As `startFaultProxy` for any protocol on top of TCP (gRPC, TLS), whose bytes it passes on as they are. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const { protocol, hostname, port: targetPort } = new URL(targetUrl);
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createTcpServer({ allowHalfOpen: true }, (client) => {
    accepted++;
    open.add(client);
    const target = connect({ host: hostname, port: Number(targetPort), allowHalfOpen: true });
    client.pipe(target);
    target.pipe(client);
    const end = (): void => {
      client.resetAndDestroy();
      target.resetAndDestroy();
    };
    client.on('error', end).on('close', () => {
      open.delete(client);
      target.destroy();
    });
    target.on('error', end);
  });
  const port = await listening(server, 0);
  const cut = (): void => {
    for (const client of open) client.resetAndDestroy();
  };
  const refuse = async (): Promise<void> => {
    const closed = closing(server);
    cut();
    await closed;
  };
  return {
    port,
    url: `${protocol}//127.0.0.1:${port}`,
    get connections() {
      return { accepted, open: open.size };
    },
    cut,
    refuse,
    accept: async () => void (await listening(server, port)),
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await refuse();
    },
  };
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      // It listens on a port, not on a path.
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve, reject) => server.close((err) => (err ? reject(err) : resolve())));
}
