import { startService, tool, type Service } from './service.ts';

/** A stand-in for Google Cloud Storage. It neither pages nor knows permissions. */
export interface FakeGcs extends Service {
  createBucket(name: string): Promise<void>;
}

/**
 * Starts fake-gcs-server. Clients find it by `STORAGE_EMULATOR_HOST`, set to its `url`.
 * @param scratch where objects are kept, as files under `directory/BUCKET`; without it in memory, which becomes slow with
 *   thousands of objects
 */
export async function startFakeGcs(scratch?: string): Promise<FakeGcs> {
  const service = await startService({
    name: 'fake-gcs-server',
    command: tool('fake-gcs-server'),
    ...(scratch === undefined ? {} : { scratch }),
    args: (port, directory) => {
      const address = `127.0.0.1:${port}`;
      return [
        ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-public-host', address],
        ...['-external-url', `http://${address}`, '-log-level', 'error'],
        ...(scratch === undefined ? ['-backend', 'memory'] : ['-backend', 'filesystem', '-filesystem-root', directory]),
      ];
    },
    isReady: async (url) => (await fetch(`${url}/_internal/healthcheck`)).ok,
  });
  const createBucket = async (name: string): Promise<void> => {
    const response = await fetch(`${service.url}/storage/v1/b?project=test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    if (!response.ok) throw new Error(`fake-gcs-server created no bucket ${name}: ${response.status}`);
  };
  return { ...service, createBucket, [Symbol.asyncDispose]: service[Symbol.asyncDispose] };
}
