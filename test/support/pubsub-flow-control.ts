import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { protos } from '@google-cloud/pubsub';

const { AcknowledgeRequest, ModifyAckDeadlineRequest, PullRequest, PullResponse } = protos.google.pubsub.v1;
const { StreamingPullRequest, StreamingPullResponse } = protos.google.pubsub.v1;

/** Length of a frame's head in gRPC: a byte of flags and four of length. */
const HEAD_BYTES = 5;
/** How connections of HTTP/2 begin. */
const PREFACE = 'PRI';
const POLL_MS = 20;
const SERVICE = '/google.pubsub.v1.Subscriber/';

export interface Refusal {
  readonly method: string;
  /** Of gRPC. */
  readonly status: number;
  /** Whether to say, as with exactly-once delivery, that the ids of the acknowledgement are no longer valid. */
  readonly invalidAckIds?: boolean;
}

export interface FlowControl extends AsyncDisposable {
  /** `127.0.0.1:PORT`, for gRPC and REST. */
  readonly host: string;
  /** Of all streams that were opened: how many messages they may have outstanding. */
  readonly streams: readonly number[];
  /** Most messages that all streams together had outstanding at one time. */
  readonly mostOutstanding: number;
  /** Statuses of gRPC by which the next streams end at once. */
  readonly failures: number[];
  /** Ends all streams with this status. */
  endStreams(status: number): void;
  /** One for each call of the method; without one it is passed on. */
  readonly refusals: Refusal[];
  /** Paths of all calls. */
  readonly calls: string[];
}

/**
 * The Pub/Sub emulator as a service that keeps to the flow control of streaming pull, which it does not: a stream gets
 * as many messages as it may have outstanding, pulled from the emulator. All else is passed on.
 * @param emulatorUrl `http://127.0.0.1:PORT`
 */
export async function startFlowControl(emulatorUrl: string): Promise<FlowControl> {
  const emulator = new URL(emulatorUrl);
  const sockets = new Set<Socket>();
  const session = connectHttp2(emulatorUrl);
  const open = new Set<ServerHttp2Stream>();
  const outstanding = new Map<string, Set<string>>();
  const control = { streams: [] as number[], failures: [] as number[], refusals: [] as Refusal[] };
  const calls: string[] = [];
  let most = 0;

  const settled = (ackIds: readonly string[]): void => {
    for (const id of ackIds) {
      outstanding.get(id)?.delete(id);
      outstanding.delete(id);
    }
  };

  const stream = async (incoming: ServerHttp2Stream): Promise<void> => {
    const [first] = await firstFrames(incoming, 1);
    const { subscription, maxOutstandingMessages, streamAckDeadlineSeconds } = StreamingPullRequest.decode(first!);
    const limit = Number(maxOutstandingMessages);
    control.streams.push(limit);
    const failure = control.failures.shift();
    if (failure !== undefined) return respond(incoming, failure);
    const own = new Set<string>();
    open.add(incoming);
    incoming.on('close', () => open.delete(incoming));
    incoming.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    incoming.on('wantTrailers', () => incoming.sendTrailers({ 'grpc-status': '0' }));
    while (!incoming.readableEnded && !incoming.destroyed && !incoming.writableEnded) {
      const maxMessages = limit - own.size;
      if (maxMessages > 0) {
        const request = PullRequest.encode({ subscription, maxMessages, returnImmediately: true }).finish();
        const { receivedMessages } = PullResponse.decode(await unary(session, 'Pull', request));
        const ackIds = receivedMessages.map(({ ackId }) => ackId ?? '');
        const leave = { subscription, ackIds, ackDeadlineSeconds: incoming.destroyed ? 0 : streamAckDeadlineSeconds };
        if (ackIds.length > 0) {
          await unary(session, 'ModifyAckDeadline', ModifyAckDeadlineRequest.encode(leave).finish());
          for (const id of ackIds) outstanding.set(id, own.add(id));
          most = Math.max(most, outstanding.size);
          if (!incoming.destroyed) incoming.write(frame(StreamingPullResponse.encode({ receivedMessages }).finish()));
        }
      }
      await delay(POLL_MS);
    }
    if (!incoming.destroyed) incoming.end();
  };

  const h2 = createHttp2Server();
  h2.on('session', (opened) => opened.on('error', () => {}));
  h2.on('stream', (incoming, headers) => {
    incoming.on('error', () => {});
    const path = String(headers[':path']);
    calls.push(path);
    const refusal = control.refusals.findIndex(({ method }) => path.endsWith(`/${method}`));
    if (refusal >= 0) {
      void refuse(incoming, control.refusals.splice(refusal, 1)[0]!);
    } else if (path === `${SERVICE}StreamingPull`) {
      stream(incoming).catch(() => incoming.destroy());
    } else {
      void forward(session, headers, incoming, (body) => {
        if (path === `${SERVICE}Acknowledge`) settled(AcknowledgeRequest.decode(body).ackIds);
        if (path !== `${SERVICE}ModifyAckDeadline`) return;
        const { ackIds, ackDeadlineSeconds } = ModifyAckDeadlineRequest.decode(body);
        if (ackDeadlineSeconds === 0) settled(ackIds);
      });
    }
  });

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.once('data', (chunk) => {
      socket.pause();
      socket.unshift(chunk);
      if (chunk.toString('latin1').startsWith(PREFACE)) {
        h2.emit('connection', socket);
      } else {
        const target = connect({ host: emulator.hostname, port: Number(emulator.port) });
        target.on('error', () => socket.destroy());
        socket.pipe(target).pipe(socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // It listens on a port.
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    streams: control.streams,
    failures: control.failures,
    refusals: control.refusals,
    calls,
    get mostOutstanding() {
      return most;
    },
    endStreams: (status) => {
      for (const one of open) {
        one.removeAllListeners('wantTrailers');
        one.on('wantTrailers', () => one.sendTrailers({ 'grpc-status': String(status), 'grpc-message': 'as it is' }));
        one.end();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function refuse(stream: ServerHttp2Stream, { status, invalidAckIds }: Refusal): Promise<void> {
  const chunks: Buffer[] = [];
  // Nobody has set an encoding.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  if (!invalidAckIds) return respond(stream, status);
  const { ackIds } = AcknowledgeRequest.decode(Buffer.concat(chunks).subarray(HEAD_BYTES));
  // A google.rpc.ErrorInfo in a google.protobuf.Any in a google.rpc.Status, of which protobufjs knows none.
  const why = ackIds.map((id) => field(3, [field(1, [id]), field(2, ['PERMANENT_FAILURE_INVALID_ACK_ID'])]));
  const info = Buffer.concat([field(1, ['INVALID_ACK_ID']), ...why]);
  const any = field(3, [field(1, ['type.googleapis.com/google.rpc.ErrorInfo']), field(2, [info])]);
  const details = Buffer.concat([Buffer.from([0x08, status]), any]).toString('base64');
  respond(stream, status, { 'grpc-status-details-bin': details });
}

/** A field of protobuf with a length. */
function field(number: number, parts: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const head = [number * 8 + 2];
  let length = value.length;
  for (; length > 0x7f; length >>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), value]);
}

function respond(stream: ServerHttp2Stream, status: number, details: Readonly<Record<string, string>> = {}): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  const trailers = { 'grpc-status': String(status), 'grpc-message': 'as it is', ...details };
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end();
}

/** Passes a unary call on. @param seen is told the request */
async function forward(
  session: ClientHttp2Session,
  headers: IncomingHttpHeaders,
  incoming: ServerHttp2Stream,
  seen: (body: Buffer) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  // Nobody has set an encoding.
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { ':authority': _, ...passed } = headers;
  const asked = session.request(passed);
  let trailers: IncomingHttpHeaders = {};
  let isHeadOnly = false;
  asked.on('error', () => incoming.destroy());
  asked.on('trailers', (all) => (trailers = all));
  asked.on('response', (answer) => {
    if (incoming.destroyed) return;
    isHeadOnly = answer['grpc-status'] !== undefined;
    incoming.respond(answer, { waitForTrailers: !isHeadOnly, endStream: isHeadOnly });
    incoming.on('wantTrailers', () => incoming.sendTrailers(trailers));
  });
  asked.on('data', (chunk: Buffer) => incoming.write(chunk));
  asked.on('end', () => {
    // Counted before the client knows that its message is settled.
    seen(body.subarray(HEAD_BYTES));
    if (!isHeadOnly && !incoming.destroyed) incoming.end();
  });
  asked.end(body);
}

function unary(session: ClientHttp2Session, method: string, request: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = session.request({
      ':method': 'POST',
      ':path': `${SERVICE}${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    call.on('error', reject);
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('end', () => resolve(Buffer.concat(chunks).subarray(HEAD_BYTES)));
    call.end(frame(request));
  });
}

/** The bodies of the first frames of a stream. */
function firstFrames(stream: ServerHttp2Stream, count: number): Promise<Buffer[]> {
  return new Promise((resolve) => {
    let rest = Buffer.alloc(0);
    const frames: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEAD_BYTES && rest.length >= HEAD_BYTES + rest.readUInt32BE(1)) {
        const end = HEAD_BYTES + rest.readUInt32BE(1);
        frames.push(rest.subarray(HEAD_BYTES, end));
        rest = rest.subarray(end);
      }
      if (frames.length >= count) resolve(frames);
    });
  });
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
