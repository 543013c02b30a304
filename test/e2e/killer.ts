import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, ProxiedRequest } from '../support/fault-proxy.ts';
import type { Finished } from './ledger.ts';
import type { Seat, Workers } from './workers.ts';

/** A moment of a task, by its requests to the object stores. */
export interface Moment {
  readonly of: 'read' | 'write';
  /** Which read or write of the task, from 1. */
  readonly nth: number;
  /** Whether the store still does what was asked, though nobody is left to hear of it. */
  readonly isDone: boolean;
}

/** Which worker is to be killed: that of the server which comes to the moment first. */
export type Victim = Pick<Seat, 'server' | 'kind'> & Moment;

/** The task at which a worker was killed. */
export type Kill = Pick<Finished, 'server' | 'kind' | 'subject'>;

interface Progress {
  readonly subject: string;
  read: number;
  write: number;
}

/**
 * Kills workers with SIGKILL in the middle of their tasks, at moments given beforehand, as they ask the object stores
 * for something. Their message is then held by nobody who lives, and what they have written lies about.
 */
export class Killer {
  readonly #workers: Workers;
  readonly #subjects: ReadonlySet<string>;
  readonly #progress = new Map<Seat, Progress>();
  readonly #kills: Kill[] = [];
  #firstMs: number | undefined;
  #lastMs = 0;
  #armed: { readonly victim: Victim; readonly struck: () => void } | undefined;

  /** @param subjects of all tasks, as in the ledger; they are part of the objects' names */
  constructor(workers: Workers, subjects: readonly string[]) {
    this.#workers = workers;
    this.#subjects = new Set(subjects);
  }

  get kills(): readonly Kill[] {
    return this.#kills;
  }

  /** From the first kill to the last. */
  get durationMs(): number {
    return this.#lastMs - (this.#firstMs ?? this.#lastMs);
  }

  /** Resolves once the victim is dead, not before `intervalMs` are over. @throws Error after `limitMs` */
  async strike(victim: Victim, intervalMs: number, limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const struck = new Promise<void>((resolve, reject) => {
      this.#armed = { victim, struck: resolve };
      timer = setTimeout(() => reject(new Error(`nobody came to be killed: ${JSON.stringify(victim)}`)), limitMs);
    });
    await Promise.all([struck, delay(intervalMs)]);
    clearTimeout(timer);
  }

  /** For the proxies between workers and object stores. */
  see(seat: Seat, { method, url }: ProxiedRequest): Fault | undefined {
    const subject = this.#subjectOf(seat, url);
    // What workers ask for when they start.
    if (subject === undefined) return undefined;
    const before = this.#progress.get(seat);
    const progress = before?.subject === subject ? before : { subject, read: 0, write: 0 };
    this.#progress.set(seat, progress);
    const of = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
    progress[of]++;
    const { victim, struck } = this.#armed ?? {};
    const isIt =
      victim?.server === seat.server && victim.kind === seat.kind && victim.of === of && victim.nth === progress[of];
    if (!victim || !struck || !isIt) return undefined;
    this.#armed = undefined;
    this.#workers.signal(seat, 'SIGKILL');
    this.#progress.delete(seat);
    this.#kills.push({ server: seat.server, kind: seat.kind, subject });
    this.#lastMs = performance.now();
    this.#firstMs ??= this.#lastMs;
    struck();
    return victim.isDone ? 'reset-after' : 'reset';
  }

  #subjectOf({ kind }: Seat, url: string): string | undefined {
    // Batches lie below their aggregation, and so does what aggregate reads of them.
    const words = decodeURIComponent(url).split(/[/.?&=]/);
    const found = words.filter((word) => this.#subjects.has(word));
    return kind === 'intake' ? found.at(-1) : found.at(0);
  }
}
