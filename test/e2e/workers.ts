import type { ChildProcess } from 'node:child_process';
import type { ServerName } from '../../deploy/local/places.ts';
import { KINDS, Ledger, type Kind } from './ledger.ts';
import { startProgram, type Running } from './processes.ts';
import { serviceEnvironment, type ServiceUrls } from './stand-ins.ts';
import type { World } from './world.ts';

const WORKERS_OF_A_KIND = 2;
/** For the tasks in hand; a worker that waits ends within a second or two. */
const ENDING_LIMIT_MS = 60_000;

/** A place for one process after another: what is killed is started again, as Kubernetes would. */
export interface Seat {
  readonly server: ServerName;
  readonly kind: Kind;
  /** `pha intake 0` */
  readonly name: string;
}

/** Two workers of each kind for each server. */
export const SEATS: readonly Seat[] = (['pha', 'facilitator'] as const).flatMap((server) =>
  KINDS.flatMap((kind) =>
    Array.from({ length: WORKERS_OF_A_KIND }, (_, n) => ({ server, kind, name: `${server} ${kind} ${n}` })),
  ),
);

export interface WorkersSettings {
  /** How long a task stays with a worker that says nothing. */
  readonly ackDeadlineMs: number;
  /** Where a worker finds services. */
  readonly urlsOf: (seat: Seat) => ServiceUrls;
  readonly logFile: string;
}

/** Someone on each seat, until it is disposed of. */
export class Workers implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly #current = new Map<Seat, ChildProcess>();
  readonly #seated: readonly Promise<void>[];
  #isOpen = true;

  constructor(world: World, { ackDeadlineMs, urlsOf, logFile }: WorkersSettings) {
    this.#seated = SEATS.map((seat) => {
      const urls = urlsOf(seat);
      const settings = { env: serviceEnvironment(urls), logFile, hasChannel: true };
      const invocation = world.worker(seat, ackDeadlineMs, urls);
      return this.#keep(seat, () => startProgram(invocation, settings, (line) => this.ledger.read(seat.server, line)));
    });
  }

  /** To whoever sits there now. */
  signal(seat: Seat, signal: NodeJS.Signals): void {
    this.#current.get(seat)?.kill(signal);
  }

  /** @throws Error unless all end at SIGTERM, by themselves and with 0 */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    for (const seat of SEATS) {
      // One that is stopped would never hear of it.
      this.signal(seat, 'SIGCONT');
      this.signal(seat, 'SIGTERM');
    }
    const limit = setTimeout(() => SEATS.forEach((seat) => this.signal(seat, 'SIGKILL')), ENDING_LIMIT_MS);
    try {
      await Promise.all(this.#seated);
    } finally {
      clearTimeout(limit);
    }
  }

  async #keep(seat: Seat, open: () => Running): Promise<void> {
    for (;;) {
      const { child, ended } = open();
      this.#current.set(seat, child);
      const { code, killedBy } = await ended;
      const failure = new Error(`the worker ${seat.name} ended with ${killedBy ?? code}`);
      if (this.#isOpen) {
        if (killedBy === 'SIGKILL') continue;
        return this.ledger.fail(failure);
      }
      // Who has only just been started does not listen to signals yet.
      if (code !== 0 && killedBy !== 'SIGTERM') throw failure;
      return;
    }
  }
}
