import { startService, tool, type Service } from './service.ts';

/** `available` are those that start when they are first asked. */
const READY = new Set<string | undefined>(['running', 'available']);

/** What of AWS is wanted, by LocalStack's names. */
const SERVICES = ['sns', 'sqs'] as const;

/**
 * LocalStack, which keeps closer to AWS than moto does: SNS and SQS, or other services, at one address, for any
 * credentials. All is in its memory. Guard tests by `withoutTools('…', 'localstack')`.
 *
 * It is one process that listens on its port only, calls nobody, and has nothing to lose by SIGKILL; by SIGTERM it
 * takes up to seconds to end.
 */
export function startLocalstack(services: readonly string[] = SERVICES): Promise<Service> {
  return startService({
    name: 'localstack',
    // Its port is told by a variable: `env` sets it and becomes LocalStack.
    command: 'env',
    args: (port, directory) => {
      const address = `127.0.0.1:${port}`;
      return [
        ...[`GATEWAY_LISTEN=${address}`, `LOCALSTACK_HOST=${address}`, `FILESYSTEM_ROOT=${directory}`],
        tool('localstack'),
      ];
    },
    env: {
      SERVICES: services.join(','),
      STRICT_SERVICE_LOADING: '1',
      EAGER_SERVICE_LOADING: '1',
      // In a container it would take `/var/lib/localstack` and others for its own, whatever FILESYSTEM_ROOT says.
      OVERRIDE_IN_DOCKER: '0',
      // Its usual server listens on all addresses.
      GATEWAY_SERVER: 'hypercorn',
      DNS_ADDRESS: '0',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      // As SQS has them: `/ACCOUNT/QUEUE`, at this address.
      SQS_ENDPOINT_STRATEGY: 'off',
      LS_LOG: 'error',
    },
    isReady: async (url) => {
      const health = (await (await fetch(`${url}/_localstack/health`)).json()) as {
        readonly services: Readonly<Record<string, string>>;
      };
      return services.every((name) => READY.has(health.services[name]));
    },
  });
}
