import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
} from 'node:http';
import { createServer as createTcpServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { startFaultProxy, startTcpProxy, type Fault, type FaultProxyOptions, type FaultProxy } from './fault-proxy.ts';

const left: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of left.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

/** Takes care of it after the test. */
function tidy<T extends AsyncDisposable>(resource: T): T {
  left.push(resource);
  return resource;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  left.push({
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  // It listens on a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
  /** `undefined` if the answer is whole. */
  readonly error: string | undefined;
}

/** Asks over a connection of its own, unless `options` has an agent. */
function ask(url: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...options }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      const finish = (error?: string): void =>
        resolve({ status: answer.statusCode, headers: answer.rawHeaders, body: text, error });
      answer.on('end', () => finish()).on('error', (err: NodeJS.ErrnoException) => finish(err.code));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** An echo of the request's method, path, headers and body, which notes what it was asked. */
async function echo(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const url = await serve((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      asked.push(`${incoming.method} ${incoming.url}`);
      const body = Buffer.concat(chunks).toString();
      outgoing.writeHead(201, 'Made', ['X-Twice', '1', 'X-Twice', '2']);
      outgoing.end(JSON.stringify({ rawHeaders: incoming.rawHeaders, body }));
    });
  });
  return { url, asked };
}

const proxy = async (
  target: string,
  decide: (n: number) => Fault | undefined,
  options?: FaultProxyOptions,
): Promise<FaultProxy> => tidy(await startFaultProxy(target, ({ n }) => decide(n), options));

describe('the fault proxy', () => {
  it('passes on what it has no fault for, as it is', async () => {
    const { url, asked } = await echo();
    const { url: proxied, port, requests } = await proxy(url, () => undefined);
    const headers = ['Host', `127.0.0.1:${port}`, 'X-Letters', 'a', 'x-letters', 'b', 'Content-Length', '4'];
    const answer = await ask(`${proxied}/a%2Fb/../c?d=%20`, { method: 'PUT', headers }, 'body');
    expect(answer).toMatchObject({ status: 201, error: undefined });
    expect(answer.headers.slice(0, 4)).toEqual(['X-Twice', '1', 'X-Twice', '2']);
    const seen = JSON.parse(answer.body) as { rawHeaders: string[]; body: string };
    expect(seen.body).toBe('body');
    expect(seen.rawHeaders.slice(0, headers.length)).toEqual(headers);
    expect(asked).toEqual([`PUT ${requests[0]!.url}`]);
    expect(requests).toMatchObject([{ method: 'PUT', n: 1 }]);
  });

  it.each(['GET', 'HEAD', 'DELETE', 'POST'])('passes on a %s without body', async (method) => {
    const { url, asked } = await echo();
    const proxied = await proxy(url, () => undefined);
    expect(await ask(`${proxied.url}/x`, { method })).toMatchObject({ status: 201, error: undefined });
    expect(asked).toEqual([`${method} /x`]);
  });

  it('can give the target its own name', async () => {
    const { url } = await echo();
    const proxied = await proxy(url, () => undefined, { host: 'target' });
    expect((await ask(proxied.url)).body).toContain(JSON.stringify(['Host', new URL(url).host]).slice(1, -1));
  });

  it('passes on a body that is sent once it is asked for', async () => {
    const { url } = await echo();
    const { url: proxied } = await proxy(url, () => undefined);
    const asked = request(proxied, { method: 'PUT', agent: false, headers: { expect: '100-continue' } });
    asked.flushHeaders();
    await once(asked, 'continue');
    asked.end('body');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    expect(JSON.parse(body)).toMatchObject({ body: 'body' });
  });

  it('passes bodies on as they come, both ways', async () => {
    const url = await serve((incoming, outgoing) => void incoming.pipe(outgoing));
    const { url: proxied } = await proxy(url, () => undefined);
    const asked = request(proxied, { method: 'POST', agent: false });
    asked.write('first');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const [first] = (await once(answer, 'data')) as [Buffer];
    asked.end('second');
    const [second] = (await once(answer, 'data')) as [Buffer];
    expect(String(first) + String(second)).toBe('firstsecond');
  });

  it('counts requests, over one connection too', async () => {
    const { url } = await echo();
    const { url: proxied, requests } = await proxy(url, (n) => (n === 2 ? { status: 503, body: 'later' } : undefined));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers = [await ask(proxied, { agent }), await ask(proxied, { agent }), await ask(proxied, { agent })];
    agent.destroy();
    expect(answers.map(({ status }) => status)).toEqual([201, 503, 201]);
    expect(answers[1]!.body).toBe('later');
    expect(requests.map(({ n }) => n)).toEqual([1, 2, 3]);
  });

  it('answers itself once the request is read, whatever its length', async () => {
    const { url, asked } = await echo();
    const fault = { status: 429, headers: { 'Retry-After': '1' } };
    const { url: proxied } = await proxy(url, () => fault);
    const answer = await ask(proxied, { method: 'PUT' }, Buffer.alloc(5_000_000));
    expect(answer).toMatchObject({ status: 429, body: '' });
    expect(answer.headers).toEqual(expect.arrayContaining(['Retry-After', '1']));
    expect(asked).toEqual([]);
  });

  it.each([
    ['reset', []],
    ['reset-after', ['POST /']],
  ] as const)('loses the answer by %s, with the target having seen %j', async (fault, seen) => {
    const { url, asked } = await echo();
    const { url: proxied } = await proxy(url, () => fault);
    await expect(ask(proxied, { method: 'POST' }, 'body')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(asked).toEqual(seen);
  });

  it.each([
    ['of a length that is told', { 'content-length': 10 }],
    ['in chunks', {}],
  ])('resets in the middle of a body %s', async (_, headers) => {
    const url = await serve((_, outgoing) => {
      outgoing.writeHead(200, headers);
      outgoing.write('01234');
      outgoing.end('56789');
    });
    const { url: proxied } = await proxy(url, () => 'reset-in-body');
    expect(await ask(proxied)).toMatchObject({ status: 200, body: '01234', error: 'ECONNRESET' });
  });

  it('loses an answer whole that has no body to be cut', async () => {
    const url = await serve((_, outgoing) => void outgoing.writeHead(204).end());
    const { url: proxied } = await proxy(url, () => 'reset-in-body');
    await expect(ask(proxied)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('never answers, until the client has had enough or the proxy ends', async () => {
    const { url, asked } = await echo();
    const { url: proxied, requests } = await proxy(url, () => 'timeout');
    await expect(ask(proxied, { signal: AbortSignal.timeout(50) })).rejects.toThrow('aborted');
    const waiting = ask(proxied, { method: 'POST' }, 'body');
    waiting.catch(() => {});
    await expect.poll(() => requests.length).toBe(2);
    await left.pop()![Symbol.asyncDispose](); // the proxy, tidied last
    await expect(waiting).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(asked).toEqual([]);
  });

  it('resets where there is no target, and where the target leaves in the middle', async () => {
    const nobody = await serve(() => {});
    await left.pop()![Symbol.asyncDispose]();
    const { url: toNobody } = await proxy(nobody, () => undefined);
    await expect(ask(toNobody)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const url = await serve((_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': 10 });
      outgoing.write('01234', () => outgoing.destroy());
    });
    const { url: toLeaver } = await proxy(url, () => undefined);
    expect(await ask(toLeaver)).toMatchObject({ body: '01234', error: 'ECONNRESET' });
  });

  it('lets the target know that the client has left', async () => {
    let onClose = (): void => {};
    const closed = new Promise<void>((resolve) => (onClose = resolve));
    const url = await serve((_, outgoing) => {
      outgoing.on('close', onClose);
      outgoing.write('x');
    });
    const { url: proxied } = await proxy(url, () => undefined);
    const asked = request(proxied, { agent: false }).end();
    asked.on('error', () => {});
    await once(asked, 'response');
    asked.destroy();
    await closed;
  });
});

describe('the TCP proxy', () => {
  async function tcpEcho(): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    left.push({
      [Symbol.asyncDispose]: async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    });
    return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A connection that has been answered. */
  async function connected(port: number): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write('hello');
    await once(socket, 'data');
    return socket;
  }

  it('passes bytes on, and the end of them, each way', async () => {
    const tcp = tidy(await startTcpProxy(await tcpEcho()));
    const socket = connect({ port: tcp.port, host: '127.0.0.1', allowHalfOpen: true });
    const sent = Buffer.alloc(1_000_000, 'abc');
    socket.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    await expect.poll(() => tcp.connections).toEqual({ accepted: 1, open: 0 });
  });

  it('cuts all connections, and takes new ones', async () => {
    const tcp = tidy(await startTcpProxy(await tcpEcho()));
    const sockets = [await connected(tcp.port), await connected(tcp.port)];
    expect(tcp.connections).toEqual({ accepted: 2, open: 2 });
    const errors = sockets.map((socket) => once(socket, 'error'));
    tcp.cut();
    for (const [err] of await Promise.all(errors)) expect(err).toMatchObject({ code: 'ECONNRESET' });
    (await connected(tcp.port)).destroy();
    expect(tcp.connections.accepted).toBe(3);
  });

  it('refuses connections for a while, at the same port', async () => {
    const tcp = tidy(await startTcpProxy(await tcpEcho()));
    const error = once(await connected(tcp.port), 'error');
    await tcp.refuse();
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' });
    await expect(connected(tcp.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await tcp.accept();
    (await connected(tcp.port)).destroy();
    expect(tcp.url).toBe(`tcp://127.0.0.1:${tcp.port}`);
  });

  it('ends while it refuses, too', async () => {
    const tcp = await startTcpProxy(await tcpEcho());
    await tcp.refuse();
    await tcp[Symbol.asyncDispose]();
    await expect(connected(tcp.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('resets where there is no target', async () => {
    const nobody = await tcpEcho();
    await left.pop()![Symbol.asyncDispose]();
    const tcp = tidy(await startTcpProxy(nobody));
    await expect(connected(tcp.port)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
