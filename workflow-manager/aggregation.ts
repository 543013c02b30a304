import type { Logger } from 'pino';
import type { BatchInfix } from '../common/domain/batch-object.ts';
import type { ServerIndex } from '../common/domain/batch-path.ts';
import { formatBatchTime } from '../common/domain/batch-time.ts';
import { MINUTE_MS, type Interval } from '../common/domain/interval.ts';
import {
  aggregateClaim,
  aggregateMarker,
  intakeMarker,
  intakeMarkerPrefix,
  intakeMarkersFrom,
} from '../common/domain/marker.ts';
import { encodeIntakeTask } from '../common/domain/task.ts';
import { LeaseLost } from '../common/errors.ts';
import type { Enqueuer } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import { claimWindow, decidedWindows, unpublishedClaims, type DecidedWindows } from './claims.ts';
import { OwnValidationsMissing, type ClaimUnusable } from './errors.ts';
import type { AggregationLease } from './lease.ts';
import { keysInInterval, listedBatches, markersIn, type ListedBatch } from './listing.ts';
import {
  aggregationWindow,
  emptyIntakePlan,
  intakeInterval,
  intakeTasks,
  nothingFound,
  windowPlan,
  type Found,
  type IntakePlan,
} from './plan.ts';
import { publishAll, type MarkedMessage, type Published, type Publishing } from './publish.ts';

/** The settings of a run, the same for all aggregations. */
export interface PublisherSettings {
  readonly server: ServerIndex;
  /** What time it is, as far as planning goes. */
  readonly now: Date;
  readonly intakeMaxAgeMs: number;
  readonly periodMs: number;
  readonly graceMs: number;
  /** Plan the window that holds this time instead of the latest one. */
  readonly override: Date | undefined;
  readonly requireOwnValidation: boolean;
  readonly maxEnqueueWorkers: number;
}

export interface PublisherPorts {
  readonly ingestion: Storage;
  /** Also holds markers, claims and leases. */
  readonly ownValidation: Storage;
  readonly peerValidation: Storage;
  readonly intakeTasks: Enqueuer;
  readonly aggregateTasks: Enqueuer;
}

/** What a run found and did for one aggregation. */
export interface AggregationSummary {
  readonly window: Interval;
  readonly intake: IntakePlan & Published;
  readonly republished: Published;
  readonly aggregate: Published & { readonly skippedByMarker: number; readonly batchesInTask: number };
  readonly peerValidations: Found;
  /** Batches of the window that were left out because our own validation of them is missing. */
  readonly withoutOwnValidation: number;
  /** Names that are no canonical ones; one that is in both intervals of the ingestion storage counts twice. */
  readonly strays: number;
  /** Why stages failed; a task that could not be published is counted in its stage instead. */
  readonly failures: readonly unknown[];
}

const nothingPublished: Published = { published: 0, failed: 0 };
const nothingInWindow = {
  aggregate: { ...nothingPublished, skippedByMarker: 0, batchesInTask: 0 },
  peerValidations: nothingFound(),
  withoutOwnValidation: 0,
};

/** Publishes what there is to publish for one aggregation, whose lease is held. */
export class AggregationPublisher {
  readonly #id: string;
  readonly #ports: PublisherPorts;
  readonly #settings: PublisherSettings;
  readonly #lease: AggregationLease;
  readonly #log: Logger;
  readonly #signal: AbortSignal | undefined;
  readonly #failures: unknown[] = [];
  readonly #storagesWithStrays = new Set<Storage>();
  #strays = 0;

  constructor(
    aggregationId: string,
    ports: PublisherPorts,
    settings: PublisherSettings,
    run: { readonly lease: AggregationLease; readonly log: Logger; readonly signal?: AbortSignal | undefined },
  ) {
    this.#id = aggregationId;
    this.#ports = ports;
    this.#settings = settings;
    this.#lease = run.lease;
    this.#log = run.log;
    this.#signal = run.signal;
  }

  /**
   * Claims left unpublished, then intake, then the window; a stage that fails does not keep the next from its turn.
   * @throws LeaseLost, or the signal's reason
   */
  async publish(): Promise<AggregationSummary> {
    const window = aggregationWindow(this.#settings.now, this.#settings);
    const decided = await decidedWindows(this.#ports.ownValidation, this.#id, this.#signal);
    const republished = await this.#stage(nothingPublished, () => this.#republish(decided));
    const intake = await this.#stage({ ...emptyIntakePlan(), ...nothingPublished }, () => this.#publishIntake());
    const aggregate = await this.#stage(nothingInWindow, () => this.#publishWindow(window, decided));
    return { window, republished, intake, ...aggregate, strays: this.#strays, failures: this.#failures };
  }

  async #stage<T>(ifFailed: T, stage: () => Promise<T>): Promise<T> {
    try {
      return await stage();
    } catch (err) {
      this.#signal?.throwIfAborted();
      if (err instanceof LeaseLost) throw err;
      this.#failures.push(err);
      return ifFailed;
    }
  }

  #republish(decided: DecidedWindows): Promise<Published> {
    const onUnusable = (error: ClaimUnusable): void => void this.#failures.push(error);
    const claims = unpublishedClaims(this.#ports.ownValidation, this.#id, decided, onUnusable, this.#signal);
    return this.#publish(this.#ports.aggregateTasks, claims);
  }

  async #publishIntake(): Promise<IntakePlan & Published> {
    const { now, intakeMaxAgeMs } = this.#settings;
    const interval = intakeInterval(now, intakeMaxAgeMs);
    const end = new Date(Math.ceil(interval.end.getTime() / MINUTE_MS) * MINUTE_MS);
    const range = {
      prefix: intakeMarkerPrefix(this.#id),
      startAt: intakeMarkersFrom(this.#id, interval.begin),
      end: intakeMarkersFrom(this.#id, end),
    };
    const markers = await markersIn(this.#ports.ownValidation, range, this.#signal);
    const plan = emptyIntakePlan();
    const tasks = intakeTasks(this.#id, this.#list(this.#ports.ingestion, 'batch', interval), markers, plan);
    const published = await this.#publish(this.#ports.intakeTasks, intakeMessages(tasks));
    return { ...plan, ...published };
  }

  async #publishWindow(
    window: Interval,
    { claims, markers }: DecidedWindows,
  ): Promise<Pick<AggregationSummary, 'aggregate' | 'peerValidations' | 'withoutOwnValidation'>> {
    const { server, requireOwnValidation } = this.#settings;
    const { ingestion, peerValidation, ownValidation } = this.#ports;
    const isDecided = claims.has(aggregateClaim(this.#id, window)) || markers.has(aggregateMarker(this.#id, window));
    const plan = await windowPlan(this.#id, window, {
      ingestion: this.#list(ingestion, 'batch', window),
      peerValidation: this.#list(peerValidation, `validity_${server === 0 ? 1 : 0}`, window),
      ownValidation: requireOwnValidation ? this.#list(ownValidation, `validity_${server}`, window) : undefined,
    });
    const counts = { peerValidations: plan.peerValidation, withoutOwnValidation: plan.withoutOwnValidation.length };
    const nothing = nothingInWindow.aggregate;
    // Whatever has come since: a window's batch list never changes.
    if (isDecided) return { ...counts, aggregate: { ...nothing, skippedByMarker: 1 } };
    for (const { id, time } of plan.withoutOwnValidation) {
      const fields = { batch_id: id, batch_time: formatBatchTime(time) };
      this.#log.warn(fields, 'batch is left out of its window: the peer has validated it, we have not');
    }
    if (!plan.task) {
      if (plan.withoutOwnValidation.length > 0)
        throw this.#ownValidationsMissing(window, plan.withoutOwnValidation.length);
      return { ...counts, aggregate: nothing };
    }
    await this.#lease.assertHeld();
    const message = await claimWindow(ownValidation, plan.task, this.#signal);
    const published = await this.#publish(this.#ports.aggregateTasks, only(message));
    return { ...counts, aggregate: { ...published, skippedByMarker: 0, batchesInTask: plan.task.batches.length } };
  }

  #ownValidationsMissing(window: Interval, count: number): OwnValidationsMissing {
    const when = `${formatBatchTime(window.begin)} to ${formatBatchTime(window.end)}`;
    return new OwnValidationsMissing(
      `none of the ${count} batches of ${this.#id} from ${when} has our own validation in ${this.#ports.ownValidation.url}, so the window is not claimed; does the facilitator's intake write there (--own-output)? For windows that were taken in without it, use --require-own-validation=false`,
    );
  }

  #list(storage: Storage, infix: BatchInfix, interval: Interval): AsyncGenerator<ListedBatch> {
    const keys = keysInInterval(storage, this.#id, interval, this.#signal);
    return listedBatches(keys, infix, interval, (key) => {
      this.#strays++;
      if (this.#storagesWithStrays.has(storage)) return;
      this.#storagesWithStrays.add(storage);
      const fields = { storage: storage.url, key };
      this.#log.warn(fields, 'names that are no canonical batch are passed over; this is the first');
    });
  }

  async #publish(enqueuer: Enqueuer, messages: AsyncIterable<MarkedMessage>): Promise<Published> {
    const publishing: Publishing = {
      enqueuer,
      storage: this.#ports.ownValidation,
      lease: this.#lease,
      chunkSize: this.#settings.maxEnqueueWorkers,
      log: this.#log,
    };
    return publishAll(messages, publishing, this.#signal);
  }
}

async function* intakeMessages(tasks: ReturnType<typeof intakeTasks>): AsyncGenerator<MarkedMessage> {
  for await (const task of tasks) {
    const { id, time } = task.batch;
    yield {
      body: encodeIntakeTask(task),
      marker: intakeMarker(task.aggregationId, task.batch),
      fields: { task: 'intake', trace_id: task.traceId, batch_id: id, batch_time: formatBatchTime(time) },
    };
  }
}

async function* only<T>(item: T): AsyncGenerator<T> {
  yield item;
}
