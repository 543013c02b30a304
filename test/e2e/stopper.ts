import { SERVERS, type ServerName } from '../../deploy/local/places.ts';
import type { ProxiedRequest } from '../support/fault-proxy.ts';
import type { Seat, Workers } from './workers.ts';

/**
 * Stops (SIGSTOP) whoever begins to take one batch in, each server's so many times. They go on once the task has come
 * to somebody else, which proves that its deadline had passed meanwhile.
 */
export class Stopper {
  readonly #workers: Workers;
  readonly #batchId: string;
  readonly #times: number;
  readonly #stops: Record<ServerName, number> = { pha: 0, facilitator: 0 };
  readonly #stopped = new Set<Seat>();

  constructor(workers: Workers, batchId: string, times: number) {
    this.#workers = workers;
    this.#batchId = batchId;
    this.#times = times;
  }

  /** For the proxies between workers and object stores, which it does not disturb. */
  see(seat: Seat, { method, url }: ProxiedRequest): undefined {
    // The ingestion batch's signature is read once for each delivery, and before anything else.
    const isBeginning = method === 'GET' && decodeURIComponent(url).includes(`${this.#batchId}.batch.sig`);
    if (seat.kind !== 'intake' || !isBeginning || this.#stopped.has(seat)) return;
    for (const before of this.#stopped) {
      if (before.server !== seat.server) continue;
      this.#stopped.delete(before);
      this.#workers.signal(before, 'SIGCONT');
    }
    if (this.#stops[seat.server] >= this.#times) return;
    this.#stops[seat.server]++;
    this.#stopped.add(seat);
    this.#workers.signal(seat, 'SIGSTOP');
  }

  get stops(): number {
    return SERVERS.reduce((sum, server) => sum + this.#stops[server], 0);
  }
}
