import { startService, tool, type Service } from './service.ts';

/**
 * The AWS services of moto (`moto_server`): SNS, SQS, S3, STS and others at one address, of which it takes any
 * credentials. All is in its memory. Guard tests by `withoutTools('…', 'moto_server')`.
 */
export function startMoto(): Promise<Service> {
  return startService({
    name: 'moto',
    command: tool('moto_server'),
    args: (port) => ['-H', '127.0.0.1', '-p', String(port)],
    isReady: async (url) => (await fetch(`${url}/moto-api/`)).ok,
  });
}
