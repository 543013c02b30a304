import { connect, createServer, type ServerHttp2Session } from 'node:http2';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';

export interface GrpcProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** An empty message: it is not compressed, and has no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(5);

/**
 * A proxy on 127.0.0.1 for gRPC without TLS, before the service at `targetUrl`; what is not HTTP/2 it passes on as it is.
 * @param isLost whether a call, by its path (`/package.Service/Method`), is answered with success and an empty message,
 *   of which the target does not hear
 */
export async function startGrpcProxy(targetUrl: string, isLost: (path: string) => boolean): Promise<GrpcProxy> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    const target = connect(targetUrl);
    // Whoever called sees it by the end of the call.
    session
      .on('error', () => {})
      .on('close', () => {
        sessions.delete(session);
        target.destroy();
      });
    target.on('error', () => session.destroy());
    session.on('stream', (call, headers) => {
      call.on('error', () => {});
      // HTTP/2 requests have a path.
      if (isLost(headers[':path']!)) {
        call.resume().once('end', () => {
          call.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
          call.once('wantTrailers', () => call.sendTrailers({ 'grpc-status': '0' }));
          call.end(EMPTY_MESSAGE);
        });
        return;
      }
      const { ':authority': _, ...rest } = headers;
      const asked = target.request(rest);
      let trailers: Record<string, unknown> = {};
      asked.on('error', () => call.close());
      asked.on('trailers', (sent) => (trailers = withoutPseudo(sent)));
      asked.on('response', (answer, flags) => {
        // 1: the answer is all in its head.
        if ((flags & 1) !== 0) return call.respond(answer, { endStream: true });
        call.respond(answer, { waitForTrailers: true });
        call.once('wantTrailers', () => call.sendTrailers(trailers as Record<string, string>));
        asked.pipe(call);
      });
      call.pipe(asked);
      call.once('close', () => asked.close());
    });
  });
  const sockets = new Set<Socket>();
  const front = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      // As every connection of HTTP/2 begins.
      if (first.subarray(0, 3).toString() === 'PRI') server.emit('connection', socket);
      else passOn(socket, targetUrl);
    });
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    // It listens on a port, not on a path.
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
    },
  };
}

function passOn(socket: Socket, targetUrl: string): void {
  const { hostname, port } = new URL(targetUrl);
  const target = connectTcp({ host: hostname, port: Number(port) });
  target.on('error', () => socket.destroy());
  socket.on('close', () => target.destroy());
  socket.pipe(target);
  target.pipe(socket);
}

function withoutPseudo(headers: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
