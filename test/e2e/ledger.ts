import type { ServerName } from '../../deploy/local/places.ts';

export type Kind = 'intake' | 'aggregate';
export const KINDS = ['intake', 'aggregate'] as const;

/** How one execution of a task ended, by the worker's own words. */
export interface Finished {
  readonly server: ServerName;
  readonly kind: Kind;
  /** The service's name for the message. */
  readonly messageId: string;
  /** Which delivery it was, from 1. */
  readonly attempt: number;
  /** What the task is about: id of a batch to take in, or of an aggregation to sum. */
  readonly subject: string;
  /** `ack`, `nack`, `reject`, `lost`, `unsettled` */
  readonly outcome: string;
}

/** All that workers have said of tasks that they finished. */
export class Ledger {
  readonly #entries: Finished[] = [];
  readonly #listeners = new Set<() => void>();
  #failure: Error | undefined;

  get entries(): readonly Finished[] {
    return this.#entries;
  }

  /** @param line of a worker of this server */
  read(server: ServerName, line: string): void {
    if (!line.includes('"task finished"')) return;
    // Our own log, docs/facilitator.md.
    const fields = JSON.parse(line) as {
      readonly task_kind: Kind;
      readonly task_id: string;
      readonly attempt: number;
      readonly batch_id?: string;
      readonly aggregation_id?: string;
      readonly outcome: string;
    };
    const { task_kind: kind, task_id: messageId, attempt, batch_id, aggregation_id, outcome } = fields;
    const subject = (kind === 'intake' ? batch_id : aggregation_id) ?? 'unknown';
    this.#entries.push({ server, kind, messageId, attempt, subject, outcome });
    this.#tell();
  }

  /** Whoever waits for what the ledger is to show waits in vain from now on. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    this.#tell();
  }

  /** The entries with all these values. */
  of(values: Partial<Finished>): readonly Finished[] {
    const wanted = Object.entries(values);
    return this.#entries.filter((entry) => wanted.every(([name, value]) => entry[name as keyof Finished] === value));
  }

  /** How many messages of these were done and acknowledged, as the worker sees it. */
  messagesDone(values: Partial<Finished>): number {
    return new Set(this.of({ ...values, outcome: 'ack' }).map(({ messageId }) => messageId)).size;
  }

  /** Deliveries of a message after its first, also such as nobody lived to tell of. */
  get redeliveries(): number {
    const attempts = new Map<string, number>();
    for (const { messageId, attempt } of this.#entries) {
      attempts.set(messageId, Math.max(attempt, attempts.get(messageId) ?? 1));
    }
    return [...attempts.values()].reduce((sum, attempt) => sum + attempt - 1, 0);
  }

  /** Executions by kind and outcome: `aggregate ack 10, intake ack 106`. */
  get summary(): string {
    const counts = new Map<string, number>();
    for (const { kind, outcome } of this.#entries) {
      const key = `${kind} ${outcome}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts]
      .map(([key, count]) => `${key} ${count}`)
      .sort()
      .join(', ');
  }

  /**
   * Waits until `isSo`, which is looked at whenever a worker has finished a task.
   * @throws Error after `limitMs`, or what `fail` was told
   */
  async until(what: string, isSo: () => boolean, limitMs: number): Promise<void> {
    let look = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => {
          if (this.#failure) reject(this.#failure);
          else if (isSo()) resolve();
        };
        timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms (${this.summary})`)), limitMs);
        this.#listeners.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
