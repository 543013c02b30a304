import type { ServerName } from '../../deploy/local/places.ts';
import type { ProxiedRequest } from '../support/fault-proxy.ts';
import type { Seat, Workers } from './workers.ts';

/**
 * Stops whoever reads one batch to take it in (SIGSTOP), until its delivery has expired; each server's so many times.
 * At Amazon it is that very worker, and another gets the task meanwhile; requests to Google do not tell whose they are,
 * so there all intake workers of the server are.
 */
export class Stopper {
  readonly #batchId: string;
  readonly #times: number;
  readonly #stopMs: number;
  readonly #stops = { pha: 0, facilitator: 0 };
  readonly #stopped = new Set<Seat>();
  #seats: readonly Seat[] = [];

  constructor(batchId: string, times: number, stopMs: number) {
    this.#batchId = batchId;
    this.#times = times;
    this.#stopMs = stopMs;
  }

  watch({ seats }: Workers): void {
    this.#seats = seats;
  }

  /** For a proxy before the server's object store, which it does not disturb. */
  see(server: ServerName, { method, url, headers }: ProxiedRequest): undefined {
    if (method !== 'GET' || this.#stops[server] >= this.#times) return;
    // The signature is read once for each delivery.
    if (!decodeURIComponent(url).includes(`${this.#batchId}.batch.sig`)) return;
    const agent = headers['user-agent'] ?? '';
    const intake = this.#seats.filter(({ name }) => name === `${server} intake-batch-worker`);
    const own = intake.filter(({ appId }) => agent.includes(appId));
    const asking = own.length > 0 ? own : intake;
    // Publishers look at the batch too, before there is a worker to stop; and what is stopped asks nothing new.
    if (asking.length === 0 || asking.some((seat) => this.#stopped.has(seat))) return;
    this.#stops[server]++;
    for (const seat of asking) this.#stop(seat);
  }

  get stops(): number {
    return this.#stops.pha + this.#stops.facilitator;
  }

  /** All have been stopped, and go on again. */
  isDone(): boolean {
    return this.stops === 2 * this.#times && this.#stopped.size === 0;
  }

  #stop(seat: Seat): void {
    this.#stopped.add(seat);
    const { current } = seat;
    current.kill('SIGSTOP');
    setTimeout(() => {
      this.#stopped.delete(seat);
      current.kill('SIGCONT');
    }, this.#stopMs);
  }
}
