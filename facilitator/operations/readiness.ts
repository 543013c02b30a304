import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields } from '../../common/errors.ts';
import type { Logger } from '../../common/runtime/log.ts';

/** Passes by returning. */
export type ReadinessCheck = (signal: AbortSignal) => void | Promise<void>;

/** Checks by what they are about: `keys`, `queue`. */
export type ReadinessChecks = Readonly<Record<string, ReadinessCheck>>;

export interface ReadinessSettings {
  readonly checks: ReadinessChecks;
  /** After which a check counts as failed. */
  readonly limitMs: number;
  /** How long an answer is given again, so that whoever asks often does not load the queue. */
  readonly maxAgeMs: number;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** Whether each check passed, by name. */
export type Readiness = ReadonlyMap<string, boolean>;

/** Asks all checks at once, and logs when one changes its mind. */
export class ReadinessProbe {
  readonly #settings: ReadinessSettings;
  readonly #failing = new Set<string>();
  #latest: { readonly askedMs: number; readonly answer: Promise<Readiness> } | undefined;

  constructor(settings: ReadinessSettings) {
    this.#settings = settings;
  }

  /** Never rejects. */
  ask(): Promise<Readiness> {
    const { clock, maxAgeMs } = this.#settings;
    const nowMs = clock().getTime();
    const ageMs = this.#latest ? nowMs - this.#latest.askedMs : Infinity;
    // Below 0 the clock was set back.
    if (!this.#latest || ageMs < 0 || ageMs >= maxAgeMs) this.#latest = { askedMs: nowMs, answer: this.#askAll() };
    return this.#latest.answer;
  }

  async #askAll(): Promise<Readiness> {
    const { checks } = this.#settings;
    const asked = Object.entries(checks).map(async ([name, check]): Promise<[string, boolean]> => [
      name,
      await this.#passes(name, check),
    ]);
    return new Map(await Promise.all(asked));
  }

  async #passes(name: string, check: ReadinessCheck): Promise<boolean> {
    const { limitMs, log } = this.#settings;
    try {
      await withinLimit(limitMs, check);
    } catch (err) {
      if (!this.#failing.has(name)) log.warn({ check: name, ...errorFields(err) }, 'not ready');
      this.#failing.add(name);
      return false;
    }
    if (this.#failing.delete(name)) log.info({ check: name }, 'ready again');
    return true;
  }
}

/** Also for a check that does not heed its signal. */
async function withinLimit(limitMs: number, check: ReadinessCheck): Promise<void> {
  const limit = new AbortController();
  const done = new AbortController();
  const expiry = async (): Promise<void> => {
    await sleep(limitMs, undefined, { signal: done.signal });
    limit.abort(new Error(`no answer within ${limitMs} ms`));
    limit.signal.throwIfAborted();
  };
  try {
    await Promise.race([Promise.resolve(limit.signal).then(check), expiry()]);
  } finally {
    done.abort();
  }
}
