import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationInvalid, errorFields } from '../../common/errors.ts';
import type { Logger } from '../../common/runtime/log.ts';
import type { ScrapedMetrics } from './prometheus.ts';
import { ReadinessProbe, type ReadinessChecks } from './readiness.ts';
import { answer, headersOf, routesOf } from './routes.ts';

/** Kubernetes asks every ten seconds; more often the answer of before is given again. */
const READINESS_MAX_AGE_MS = 5000;
const READINESS_LIMIT_MS = 5000;
/** For a request to arrive; all are short. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface OperationsSettings {
  /** 0 for any free one. */
  readonly port: number;
  /** Address to listen on. Default: all of IPv4, as the kubelet and Prometheus come from outside the pod. */
  readonly host?: string;
  readonly metrics: Pick<ScrapedMetrics, 'page'>;
  readonly isPoolAlive: () => boolean;
  readonly readiness: ReadinessChecks;
  readonly clock: () => Date;
  /** Also the logger whose level is changed, hence that of the program. */
  readonly log: Logger;
}

/** Ends at once when disposed of, whoever is connected. */
export interface OperationsServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves what operators ask of a worker. docs/metrics.md, "Endpoints".
 * @throws ConfigurationInvalid if the port cannot be listened on
 */
export async function startOperations(settings: OperationsSettings): Promise<OperationsServer> {
  const { port, host = '0.0.0.0', metrics, isPoolAlive, clock, log } = settings;
  const readiness = new ReadinessProbe({
    checks: settings.readiness,
    limitMs: READINESS_LIMIT_MS,
    maxAgeMs: READINESS_MAX_AGE_MS,
    clock,
    log,
  });
  const routes = routesOf({ page: () => metrics.page(), isPoolAlive, readiness, log });

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const given = await answer(routes, request);
      response.writeHead(given.status, headersOf(given)).end(given.text);
    } catch (err) {
      // Whoever went away before the body was whole is no failure of ours.
      if (request.destroyed && !request.complete) return;
      log.error({ path: request.url, ...errorFields(err) }, 'request of operations failed');
      response.writeHead(500).end('failed; see the log\n');
    }
  };
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => void respond(request, response),
  );
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw new ConfigurationInvalid(
      `--metrics-scrape-port: cannot listen on port ${port} of ${host}; is another worker of this machine at it? Give another port, or 0 for any free one`,
      { cause },
    );
  }
  server.on('error', (err) => log.error(errorFields(err), 'metrics can no longer be scraped'));
  // A server that listens on TCP has an address of this kind.
  const listening = server.address() as AddressInfo;
  log.info({ host, port: listening.port }, 'metrics and health are served');
  return {
    port: listening.port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
