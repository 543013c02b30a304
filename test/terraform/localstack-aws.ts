import { startService, tool, type Service } from '../services/service.ts';

/** SNS, SQS and S3 of LocalStack at one address, and what Terraform asks besides. See `../services/localstack.ts`. */
export function startLocalstackAws(): Promise<Service> {
  return startService({
    name: 'localstack-aws',
    command: 'env',
    args: (port, directory) => {
      const address = `127.0.0.1:${port}`;
      return [
        ...[`GATEWAY_LISTEN=${address}`, `LOCALSTACK_HOST=${address}`, `FILESYSTEM_ROOT=${directory}`],
        tool('localstack'),
      ];
    },
    env: {
      SERVICES: 'sns,sqs,s3,sts,iam',
      STRICT_SERVICE_LOADING: '1',
      EAGER_SERVICE_LOADING: '1',
      OVERRIDE_IN_DOCKER: '0',
      GATEWAY_SERVER: 'hypercorn',
      DNS_ADDRESS: '0',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      SQS_ENDPOINT_STRATEGY: 'off',
      LS_LOG: 'error',
    },
    isReady: async (url) => {
      const { services } = (await (await fetch(`${url}/_localstack/health`)).json()) as {
        readonly services: Readonly<Record<string, string>>;
      };
      return ['sns', 'sqs', 's3'].every((name) => services[name] === 'running');
    },
  });
}
