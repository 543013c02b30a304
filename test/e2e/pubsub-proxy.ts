import { connect, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { protos } from '@google-cloud/pubsub';
import type { AckLoss, AckProxy } from './ack-loss.ts';

const { AcknowledgeRequest, PullResponse } = protos.google.pubsub.v1;

/** Before each message of gRPC: a byte of flags and four of length. */
const HEAD_BYTES = 5;
/** An empty message: it is not compressed, and has no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(HEAD_BYTES);
/** As every connection of HTTP/2 begins. */
const PREFACE = 'PRI';

/**
 * A proxy on 127.0.0.1 before the Pub/Sub emulator at `targetUrl` that loses acknowledgements (Acknowledge); what is
 * not gRPC it passes on as it is.
 */
export async function startPubSubAckProxy(targetUrl: string, loss: AckLoss): Promise<AckProxy> {
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
      const passOnCall = async (): Promise<void> => {
        // Unary calls, all of them: a worker polls the emulator.
        const request = await bytesOf(call);
        const path = headers[':path'] ?? '';
        if (path.endsWith('/Acknowledge') && loses(loss, request)) return answerEmpty(call);
        const { ':authority': _, ...rest } = headers;
        const asked = target.request(rest);
        call.once('close', () => asked.close());
        let trailers: Record<string, unknown> = {};
        asked.on('error', () => call.close());
        asked.on('trailers', (sent) => (trailers = withoutPseudo(sent)));
        asked.on('response', (answer, flags) => {
          // 1: the answer is all in its head.
          if ((flags & 1) !== 0) return call.respond(answer, { endStream: true });
          call.respond(answer, { waitForTrailers: true });
          call.once('wantTrailers', () => call.sendTrailers(trailers as Record<string, string>));
        });
        asked.end(request);
        const answer = await bytesOf(asked);
        if (path.endsWith('/Pull') && answer.length > 0) noteDeliveries(loss, answer);
        if (!call.writableEnded) call.end(answer);
      };
      call.on('error', () => {});
      passOnCall().catch(() => call.close());
    });
  });
  const sockets = new Set<Socket>();
  const front = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first.toString('latin1').startsWith(PREFACE)) server.emit('connection', socket);
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

/** A worker acknowledges one message at a time. */
function loses(loss: AckLoss, request: Buffer): boolean {
  const { ackIds } = AcknowledgeRequest.decode(request.subarray(HEAD_BYTES));
  const [ackId, ...more] = ackIds;
  if (ackId === undefined || more.length > 0) throw new Error(`${ackIds.length} messages are acknowledged at once`);
  return loss.isLost(ackId);
}

function noteDeliveries(loss: AckLoss, answer: Buffer): void {
  for (const { ackId, message } of PullResponse.decode(answer.subarray(HEAD_BYTES)).receivedMessages) {
    loss.delivered(message?.messageId ?? '', ackId ?? '');
  }
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Nobody has set an encoding.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function answerEmpty(call: ServerHttp2Stream): void {
  call.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  call.once('wantTrailers', () => call.sendTrailers({ 'grpc-status': '0' }));
  call.end(EMPTY_MESSAGE);
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
