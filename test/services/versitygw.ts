import { startService, tool, type Service } from './service.ts';

/** The one account of `startVersitygw`, which checks signatures. */
export const VERSITYGW_CREDENTIALS = { accessKeyId: 'versitygw', secretAccessKey: 'versitygw-secret' } as const;

/** The region that it says its buckets are in. */
export const VERSITYGW_REGION = 'eu-west-1';

/** Amazon S3 over a scratch directory. Guard tests by `withoutTools('…', 'versitygw')`. */
export function startVersitygw(): Promise<Service> {
  const { accessKeyId, secretAccessKey } = VERSITYGW_CREDENTIALS;
  return startService({
    name: 'versitygw',
    command: tool('versitygw'),
    args: (port, directory) => [
      ...['--access', accessKeyId, '--secret', secretAccessKey, '--region', VERSITYGW_REGION],
      ...['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix', directory],
    ],
    // Refused for want of a signature, which is an answer.
    isReady: async (url) => (await fetch(url)).status === 403,
  });
}
