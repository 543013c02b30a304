import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AckLoss, AckProxy } from './ack-loss.ts';

/** Of ReceiveMessage: Amazon SQS API reference, protocol AWS JSON 1.0. */
interface ReceivedMessages {
  readonly Messages?: readonly { readonly MessageId: string; readonly ReceiptHandle: string }[];
}

/** A proxy on 127.0.0.1 before the SQS at `targetUrl` that loses acknowledgements (DeleteMessage). */
export async function startSqsAckProxy(targetUrl: string, loss: AckLoss): Promise<AckProxy> {
  const server = createServer((incoming, outgoing) => {
    // Whoever asks sees it by the end of the connection.
    pass(targetUrl, loss, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // It listens on a port, not on a path.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function pass(
  targetUrl: string,
  loss: AckLoss,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  outgoing.once('close', () => left.abort());
  const chunks: Buffer[] = [];
  // Nobody has set an encoding.
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const headers = Object.entries(incoming.headers).filter(([name]) =>
    /^(?:x-amz-|authorization|content-type)/.test(name),
  );
  const action = String(incoming.headers['x-amz-target']).split('.').at(-1);
  if (action === 'DeleteMessage') {
    const { ReceiptHandle } = JSON.parse(body.toString()) as { readonly ReceiptHandle: string };
    if (loss.isLost(ReceiptHandle)) {
      outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
      return;
    }
  }
  const answer = await fetch(new URL(incoming.url ?? '/', targetUrl), {
    method: 'POST',
    headers: headers.map(([name, value]) => [name, String(value)]),
    body,
    // A long poll of somebody who is gone would take a message to nowhere.
    signal: left.signal,
  });
  const text = await answer.text();
  if (action === 'ReceiveMessage' && answer.ok) {
    const { Messages = [] } = JSON.parse(text) as ReceivedMessages;
    for (const { MessageId, ReceiptHandle } of Messages) loss.delivered(MessageId, ReceiptHandle);
  }
  outgoing.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text);
}
