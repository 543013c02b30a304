import type { LimitFunction } from 'p-limit';
import type { Logger } from 'pino';
import type { BatchInfix } from '../common/domain/batch-object.ts';
import type { ServerIndex } from '../common/domain/batch-path.ts';
import type { Interval } from '../common/domain/interval.ts';
import { LeaseLost } from '../common/errors.ts';
import type { Enqueuer } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import type { AggregationLease } from './lease.ts';
import { keysInInterval, listedBatches, type ListedBatch } from './listing.ts';
import { publishAll, type MarkedMessage, type Published, type TaskOutcome } from './publish.ts';

/** The settings of a run, the same for all aggregations. */
export interface PublisherSettings {
  readonly server: ServerIndex;
  /** What time it is, as far as planning goes. */
  readonly now: Date;
  readonly intakeMaxAgeMs: number;
  readonly periodMs: number;
  readonly graceMs: number;
  /** How many windows are looked at, the latest included. */
  readonly lookback: number;
  /** Plan the window that holds this time instead of the latest ones. */
  readonly override: Date | undefined;
  readonly requireOwnValidation: boolean;
  /** Messages under way at once, of all aggregations together; also how many make a chunk. */
  readonly maxEnqueueWorkers: number;
  readonly aggregationsAtOnce: number;
}

export interface PublisherPorts {
  readonly ingestion: Storage;
  /** Also holds markers, claims and leases. */
  readonly ownValidation: Storage;
  readonly peerValidation: Storage;
  readonly intakeTasks: Enqueuer;
  readonly aggregateTasks: Enqueuer;
}

/** The parts of a run that can fail each for itself; a label of metrics. */
export type Stage = 'prepare' | 'aggregation' | 'claims' | 'intake' | 'aggregate' | 'reap';

export interface StageFailure {
  readonly stage: Stage;
  readonly error: unknown;
}

/** What the stages of one aggregation, whose lease is held, share. */
export class AggregationContext {
  readonly id: string;
  readonly ports: PublisherPorts;
  readonly settings: PublisherSettings;
  readonly lease: AggregationLease;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
  readonly failures: StageFailure[] = [];
  readonly #onTask: ((task: TaskOutcome) => void) | undefined;
  readonly #publishing: LimitFunction;
  readonly #storagesWithStrays = new Set<Storage>();
  #strays = 0;

  constructor(
    id: string,
    ports: PublisherPorts,
    settings: PublisherSettings,
    run: {
      readonly lease: AggregationLease;
      readonly log: Logger;
      readonly signal: AbortSignal | undefined;
      readonly onTask: ((task: TaskOutcome) => void) | undefined;
      readonly publishing: LimitFunction;
    },
  ) {
    this.id = id;
    this.ports = ports;
    this.settings = settings;
    this.lease = run.lease;
    this.log = run.log;
    this.signal = run.signal;
    this.#onTask = run.onTask;
    this.#publishing = run.publishing;
  }

  /** Names that are no canonical ones; one that is listed twice counts twice. */
  get strays(): number {
    return this.#strays;
  }

  /**
   * Does a part of the work; that it fails is noted and does not end the run.
   * @throws LeaseLost, or the signal's reason
   */
  async attempt(stage: Stage, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.signal?.throwIfAborted();
      if (err instanceof LeaseLost) throw err;
      this.failures.push({ stage, error: err });
    }
  }

  /** The batches of an interval, with what is there of them. */
  batches(storage: Storage, infix: BatchInfix, interval: Interval): AsyncGenerator<ListedBatch> {
    const keys = keysInInterval(storage, this.id, interval, this.signal);
    return listedBatches(keys, infix, interval, (key) => {
      this.#strays++;
      if (this.#storagesWithStrays.has(storage)) return;
      this.#storagesWithStrays.add(storage);
      const fields = { storage: storage.url, key };
      this.log.warn(fields, 'names that are no canonical batch are passed over; this is the first');
    });
  }

  async publish(enqueuer: Enqueuer, messages: AsyncIterable<MarkedMessage>): Promise<Published> {
    const publishing = {
      enqueuer,
      storage: this.ports.ownValidation,
      lease: this.lease,
      chunkSize: this.settings.maxEnqueueWorkers,
      log: this.log,
      onTask: this.#onTask,
      limit: this.#publishing,
    };
    return publishAll(messages, publishing, this.signal);
  }
}
