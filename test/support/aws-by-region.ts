import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const REGION = /\bCredential=[^/]+\/\d{8}\/([^/]+)\//;

export interface AwsByRegion extends AsyncDisposable {
  /** For `AWS_ENDPOINT_URL`. */
  readonly url: string;
}

/**
 * Several stand-ins for AWS at one address, as AWS has regions: the environment of a process can tell of one only.
 * @param urls of the stand-ins, by the region that requests are signed for
 */
export async function startAwsByRegion(urls: Readonly<Record<string, string>>): Promise<AwsByRegion> {
  const server = createServer((asked, answer) => {
    const region = REGION.exec(asked.headers.authorization ?? '')?.[1] ?? '';
    const url = urls[region];
    if (url === undefined) {
      answer.writeHead(404).end(`nothing stands in for the region ${region}`);
      return;
    }
    const { method, headers } = asked;
    const passed = request(new URL(asked.url ?? '/', url), { method, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
