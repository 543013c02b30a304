import type { Logger } from 'pino';
import { describeBatch, sumPartKeys, type BatchId, type BatchKeys } from '../common/domain/batch-path.ts';
import type { Interval } from '../common/domain/interval.ts';
import { formatBatchTime } from '../common/domain/batch-time.ts';
import { differingParameters, parametersOf } from './batch/header.ts';
import { encodeSumPart, type EncodedSumPart } from './batch/sum-part.ts';
import { aggregateBatch } from './aggregate-batch.ts';
import type { AggregateBatchSetup } from './aggregate-batch-setup.ts';
import type { IngestionHeader } from './codec/records.ts';
import { AggregationEmpty, HeadersDiffer } from './errors.ts';
import { countTask } from './metrics/count-task.ts';
import { addTallies, countPackets, EMPTY_TALLY, type PacketTally } from './packet-tally.ts';
import { accumulate } from './prio/sum.ts';
import { canSeePublished, publishSumPart, type PublishingSetup } from './publish-sum-part.ts';

export interface AggregateTask {
  readonly aggregationId: string;
  readonly window: Interval;
  readonly batches: readonly BatchId[];
}

export interface AggregateSetup extends AggregateBatchSetup, PublishingSetup {
  readonly instanceName: string;
}

export interface AggregateOutcome {
  readonly batches: number;
  /** Packets in the sum. */
  readonly packets: number;
  readonly invalidPackets: number;
  /** False if the same sum part was published before. */
  readonly isPublished: boolean;
}

/** A sum part before it is signed. */
interface Total {
  readonly header: IngestionHeader;
  readonly sum: Uint32Array;
  readonly batchIds: string[];
  readonly invalidUuids: string[];
  packets: number;
  tally: PacketTally;
}

/**
 * Sums our shares of all packets, in all batches of a window, that both servers find valid, and publishes the sum part.
 * docs/protocol.md, "aggregate".
 * @throws AggregationEmpty if no batch has packets
 * @throws HeadersDiffer if the batches do not agree on what is summed
 * @throws SumPartContradicted if another sum part is published already
 * @throws ConfigurationInvalid, before any work, if nothing could tell whether one is
 */
export function aggregate(task: AggregateTask, setup: AggregateSetup, signal?: AbortSignal): Promise<AggregateOutcome> {
  return countTask(setup.metrics, 'aggregate', task.aggregationId, () => sumAndPublish(task, setup, signal));
}

async function sumAndPublish(
  task: AggregateTask,
  setup: AggregateSetup,
  signal?: AbortSignal,
): Promise<AggregateOutcome> {
  const log = setup.log.child({
    aggregation_id: task.aggregationId,
    window_begin: formatBatchTime(task.window.begin),
    window_end: formatBatchTime(task.window.end),
  });
  const keys = sumPartKeys(setup.instanceName, task.aggregationId, task.window, setup.server);
  await canSeePublished(keys.signature, setup, signal);
  const total = await sumBatches(task, { ...setup, log }, signal);
  const isPublished = await publishSumPart(sumPartOf(task, keys, total, setup), { ...setup, log }, signal);
  const outcome = {
    batches: total.batchIds.length,
    packets: total.packets,
    invalidPackets: total.invalidUuids.length,
    isPublished,
  };
  log.info(
    { batches: outcome.batches, packets: outcome.packets, invalid_packets: outcome.invalidPackets },
    isPublished ? 'sum part published' : 'the same sum part was published before',
  );
  if (isPublished) countPublished(task.aggregationId, total, setup);
  return outcome;
}

function countPublished(
  aggregationId: string,
  { packets, tally }: Total,
  { metrics, signingKey }: AggregateSetup,
): void {
  const labels = { aggregation_id: aggregationId };
  metrics.set('facilitator_aggregate_packets_per_sum_part', labels, packets);
  metrics.increment('facilitator_aggregate_packets_processed', labels, packets);
  metrics.increment('facilitator_aggregate_bytes_processed', labels, tally.bytes);
  metrics.increment('facilitator_key_uses_total', { use: 'sign', key_id: signingKey.identifier });
  countPackets(metrics, 'aggregate', aggregationId, tally);
}

async function sumBatches(task: AggregateTask, setup: AggregateSetup, signal?: AbortSignal): Promise<Total> {
  let total: Total | undefined;
  for (const batch of distinctBatches(task, setup.log)) {
    const result = await aggregateBatch(task.aggregationId, batch, setup, signal);
    if (result.kind === 'empty') continue;
    // The first batch with packets sets the parameters, also where it is then left out.
    total ??= {
      header: result.header,
      sum: new Uint32Array(result.header.bins),
      batchIds: [],
      invalidUuids: [],
      packets: 0,
      tally: EMPTY_TALLY,
    };
    requireSameParameters(total.header, result.header, task.aggregationId, batch);
    total.tally = addTallies(total.tally, result.tally);
    if (result.kind === 'undecryptable') continue;
    const labels = { aggregation_id: task.aggregationId };
    setup.metrics.set('facilitator_aggregate_packets_per_batch', labels, result.distinctPackets);
    accumulate(total.sum, result.sum);
    total.batchIds.push(batch.id);
    total.invalidUuids.push(...result.invalidUuids);
    total.packets += result.packets;
  }
  if (!total) {
    throw new AggregationEmpty(
      `none of the ${task.batches.length} batches of aggregation ${task.aggregationId} has packets, so there is nothing to sum`,
    );
  }
  return total;
}

/** A batch is (id, time); the queue's publisher may have listed one twice, which must not count it twice. */
function distinctBatches(task: AggregateTask, log: Logger): BatchId[] {
  const byPath = new Map<string, BatchId>();
  for (const batch of task.batches) {
    const path = describeBatch(task.aggregationId, batch);
    if (byPath.has(path)) log.warn({ batch_id: batch.id }, 'batch is listed twice in the task and counts once');
    else byPath.set(path, batch);
  }
  return [...byPath.values()];
}

function requireSameParameters(
  first: IngestionHeader,
  header: IngestionHeader,
  aggregationId: string,
  batch: BatchId,
): void {
  const differing = differingParameters(first, header);
  if (differing.length > 0) {
    throw new HeadersDiffer(
      `batch ${describeBatch(aggregationId, batch)} differs from the first batch of its aggregation, ${first.batch_uuid}, in ${differing.join(', ')}`,
    );
  }
}

function sumPartOf(
  { window }: AggregateTask,
  keys: BatchKeys,
  total: Total,
  { signingKey }: AggregateSetup,
): EncodedSumPart {
  const header = {
    ...parametersOf(total.header),
    batch_uuids: total.batchIds,
    sum: Array.from(total.sum),
    aggregation_start_time: window.begin.getTime(),
    aggregation_end_time: window.end.getTime(),
    total_individual_clients: total.packets,
  };
  return encodeSumPart(keys, header, total.invalidUuids, signingKey);
}
