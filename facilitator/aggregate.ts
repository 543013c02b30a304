import type { Logger } from 'pino';
import { describeBatch, sumPartKeys, type BatchId } from '../common/domain/batch-path.ts';
import type { Interval } from '../common/domain/interval.ts';
import { formatBatchTime } from '../common/domain/batch-time.ts';
import type { Storage } from '../common/ports/storage.ts';
import { differingParameters, parametersOf } from './batch/header.ts';
import { writeBatch } from './batch/write-batch.ts';
import { aggregateBatch, type AggregateBatchSetup } from './aggregate-batch.ts';
import type { IngestionHeader, SumPart } from './codec/records.ts';
import { invalidPacket, sumPart } from './codec/record-types.ts';
import { AggregationEmpty, HeadersDiffer } from './errors.ts';
import { accumulate } from './prio/sum.ts';

export interface AggregateTask {
  readonly aggregationId: string;
  readonly window: Interval;
  readonly batches: readonly BatchId[];
}

export interface AggregateSetup extends AggregateBatchSetup {
  readonly instanceName: string;
  readonly portalOutput: Storage;
}

export interface AggregateOutcome {
  readonly batches: number;
  /** Packets in the sum. */
  readonly packets: number;
  readonly invalidPackets: number;
}

/** A sum part before it is signed. */
interface Total {
  readonly header: IngestionHeader;
  readonly sum: Uint32Array;
  readonly batchIds: string[];
  readonly invalidUuids: string[];
  packets: number;
}

/**
 * Sums our shares of all packets, in all batches of a window, that both servers find valid, and publishes the sum part.
 * docs/protocol.md, "aggregate".
 * @throws AggregationEmpty if no batch has packets
 * @throws HeadersDiffer if the batches do not agree on what is summed
 */
export async function aggregate(
  task: AggregateTask,
  setup: AggregateSetup,
  signal?: AbortSignal,
): Promise<AggregateOutcome> {
  const log = setup.log.child({
    aggregation_id: task.aggregationId,
    window_begin: formatBatchTime(task.window.begin),
    window_end: formatBatchTime(task.window.end),
  });
  const total = await sumBatches(task, { ...setup, log }, signal);
  await publish(task, setup, total, signal);
  const outcome = {
    batches: total.batchIds.length,
    packets: total.packets,
    invalidPackets: total.invalidUuids.length,
  };
  log.info(
    { batches: outcome.batches, packets: outcome.packets, invalid_packets: outcome.invalidPackets },
    'sum part published',
  );
  return outcome;
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
    };
    requireSameParameters(total.header, result.header, task.aggregationId, batch);
    if (result.kind === 'undecryptable') continue;
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

async function publish(task: AggregateTask, setup: AggregateSetup, total: Total, signal?: AbortSignal): Promise<void> {
  const keys = sumPartKeys(setup.instanceName, task.aggregationId, task.window, setup.server);
  const content = {
    headerType: sumPart,
    header: (packetFileDigest: Buffer): SumPart => ({
      ...parametersOf(total.header),
      batch_uuids: total.batchIds,
      sum: Array.from(total.sum),
      aggregation_start_time: task.window.begin.getTime(),
      aggregation_end_time: task.window.end.getTime(),
      packet_file_digest: packetFileDigest,
      total_individual_clients: total.packets,
    }),
    packetType: invalidPacket,
    packets: total.invalidUuids.map((uuid) => ({ uuid })),
  };
  await writeBatch(setup.portalOutput, keys, content, setup.signingKey, signal);
}
