import type { Logger } from 'pino';
import { describeError, LeaseLost } from '../common/errors.ts';
import { leaseKey } from '../common/domain/marker.ts';
import type { ObjectVersion, Storage } from '../common/ports/storage.ts';
import { encodeLease, ownLease, readLease, type FoundLease, type HeldLease, type LeaseRecord } from './lease-object.ts';

export interface LeaseSettings {
  /** Told apart from all other runs, also of this machine. */
  readonly runId: string;
  readonly durationMs: number;
  /** Real time, also where a run plans as if it were another. */
  readonly clock: () => Date;
  readonly log: Logger;
}

/** Renewed this often within its duration. */
const RENEWALS = 3;

/** Timers with a longer delay fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The right to publish tasks of one aggregation, held by at most one run at a time. It rests on the storage's
 * conditional writes alone; a run that dies leaves it to expire.
 *
 * A write whose answer is lost may have come through all the same. Whoever finds the object changed therefore looks
 * whether it is his own run's doing.
 */
export class AggregationLease {
  readonly #storage: Storage;
  readonly #key: string;
  readonly #settings: LeaseSettings;
  /** As far as we know: the object's version and what it says. */
  #state: HeldLease;
  #lost: LeaseLost | undefined;
  readonly #timer: NodeJS.Timeout;
  #renewal: Promise<void> | undefined;

  private constructor(storage: Storage, key: string, settings: LeaseSettings, state: HeldLease) {
    this.#storage = storage;
    this.#key = key;
    this.#settings = settings;
    this.#state = state;
    this.#timer = setInterval(
      () => {
        // One at a time: a second would run into the first one's success.
        this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
      },
      Math.min(settings.durationMs / RENEWALS, MAX_TIMER_MS),
    );
    // Nothing is to wait for: a run that has nothing else to do ends.
    this.#timer.unref();
  }

  /** @returns `undefined` if another run holds it */
  static async acquire(
    storage: Storage,
    aggregationId: string,
    settings: LeaseSettings,
  ): Promise<AggregationLease | undefined> {
    const key = leaseKey(aggregationId);
    const state = await take(storage, key, settings);
    return state && new AggregationLease(storage, key, settings, state);
  }

  /**
   * Looks whether the lease still is ours; called before every chunk of tasks is published.
   * @throws LeaseLost
   */
  async assertHeld(): Promise<void> {
    await this.#renewal;
    if (this.#lost) throw this.#lost;
    await this.#look();
    // Last, as looking takes time, too.
    if (this.#settings.clock() >= this.#state.record.expiresAt) throw this.#lose('it expired before it was renewed');
  }

  /** Gives the lease back by replacing it with an expired one. Never throws: unreturned, it expires. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewal;
    if (this.#lost) return;
    try {
      const expiresAt = new Date(0);
      if (await this.#replace(expiresAt)) return;
      await this.#look();
      await this.#replace(expiresAt);
    } catch (err) {
      if (err instanceof LeaseLost) return;
      this.#settings.log.warn({ error: describeError(err) }, 'lease could not be given back and will expire');
    }
  }

  async #renew(): Promise<void> {
    if (this.#lost) return;
    const { durationMs, clock, log } = this.#settings;
    try {
      const expiresAt = new Date(clock().getTime() + durationMs);
      if (!(await this.#replace(expiresAt))) await this.#look();
    } catch (err) {
      if (err instanceof LeaseLost) return;
      // There may be another chance before it expires.
      log.warn({ error: describeError(err) }, 'lease could not be renewed');
    }
  }

  /** @returns whether the object was as we knew it */
  async #replace(expiresAt: Date): Promise<boolean> {
    const record = { runId: this.#settings.runId, expiresAt };
    const version = await this.#storage.replaceIfUnchanged(this.#key, this.#state.version, encodeLease(record));
    if (version === undefined) return false;
    this.#state = { version, record };
    return true;
  }

  /** @throws LeaseLost if the object is another run's or gone */
  async #look(): Promise<void> {
    const own = ownLease(await readLease(this.#storage, this.#key), this.#settings.runId);
    if (!own) throw this.#lose('another run has taken it');
    this.#state = own;
  }

  #lose(why: string): LeaseLost {
    this.#lost ??= new LeaseLost(`the lease ${this.#key} in ${this.#storage.url} is lost: ${why}`);
    return this.#lost;
  }
}

async function take(storage: Storage, key: string, settings: LeaseSettings): Promise<HeldLease | undefined> {
  const { runId, durationMs, clock } = settings;
  const record = { runId, expiresAt: new Date(clock().getTime() + durationMs) };
  const body = encodeLease(record);
  const created = await attempt(storage, key, record, () => storage.createIfAbsent(key, body));
  if (created.own) return created.own;
  const { current } = created;
  // Gone in between: somebody tidies up by hand. The next run will have it.
  if (!current) return undefined;
  // What cannot be read protects nobody.
  if (current.record && clock() < current.record.expiresAt) return undefined;
  const replace = (): Promise<ObjectVersion | undefined> => storage.replaceIfUnchanged(key, current.version, body);
  return (await attempt(storage, key, record, replace)).own;
}

/**
 * Writes the lease on a condition. If that fails, looks whether it came through all the same: a client that repeats a
 * request whose answer was lost is refused by its own success, and one that gives up does not know of it.
 */
async function attempt(
  storage: Storage,
  key: string,
  record: LeaseRecord,
  write: () => Promise<ObjectVersion | undefined>,
): Promise<{ readonly own: HeldLease | undefined; readonly current: FoundLease | undefined }> {
  const [outcome] = await Promise.allSettled([write()]);
  if (outcome.status === 'fulfilled' && outcome.value !== undefined) {
    return { own: { version: outcome.value, record }, current: undefined };
  }
  const current = await readLease(storage, key);
  const found = ownLease(current, record.runId);
  // One that the run has given back is not what it has just written.
  const own = found?.record.expiresAt.getTime() === record.expiresAt.getTime() ? found : undefined;
  if (outcome.status === 'rejected' && !own) throw outcome.reason;
  return { own, current };
}
