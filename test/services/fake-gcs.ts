import { startService, tool, type Service } from './service.ts';

/** A stand-in for Google Cloud Storage, with everything in memory. It neither pages nor knows permissions. */
export interface FakeGcs extends Service {
  createBucket(name: string): Promise<void>;
}

/** Starts fake-gcs-server. Clients find it by `STORAGE_EMULATOR_HOST`, set to its `url`. */
export async function startFakeGcs(): Promise<FakeGcs> {
  const service = await startService({
    name: 'fake-gcs-server',
    command: tool('fake-gcs-server'),
    args: (port) => {
      const address = `127.0.0.1:${port}`;
      return [
        ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-public-host', address],
        ...['-external-url', `http://${address}`, '-backend', 'memory', '-log-level', 'error'],
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
