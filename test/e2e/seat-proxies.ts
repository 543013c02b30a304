import { startFaultProxy, type Fault, type FaultProxy, type ProxiedRequest } from '../support/fault-proxy.ts';
import type { ServiceUrls } from './stand-ins.ts';
import { SEATS, type Seat } from './workers.ts';

/** Told of each request of a worker to an object store. @returns what is to go wrong with it */
export type StorageWatcher = (seat: Seat, request: ProxiedRequest) => Fault | undefined;

export interface SeatProxies extends AsyncDisposable {
  /** Where a worker on that seat finds services. */
  urlsOf(seat: Seat): ServiceUrls;
}

/** Before both object stores a proxy for each seat, since requests themselves do not tell whose they are. */
export async function startSeatProxies(urls: ServiceUrls, watch: StorageWatcher): Promise<SeatProxies> {
  const started: FaultProxy[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(started.map((proxy) => proxy[Symbol.asyncDispose]()));
  };
  const proxied = new Map<Seat, ServiceUrls>();
  try {
    for (const seat of SEATS) {
      const before = async (url: string): Promise<string> => {
        const proxy = await startFaultProxy(url, (request) => watch(seat, request));
        started.push(proxy);
        return proxy.url;
      };
      proxied.set(seat, { ...urls, gcs: await before(urls.gcs), s3: await before(urls.s3) });
    }
  } catch (err) {
    await dispose();
    throw err;
  }
  return {
    // There is one for each of SEATS.
    urlsOf: (seat) => proxied.get(seat)!,
    [Symbol.asyncDispose]: dispose,
  };
}
