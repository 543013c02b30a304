import { sumPartKeys, type ServerIndex } from '../../common/domain/batch-path.ts';
import type { WindowTask } from '../../common/domain/task.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readBatch } from '../batch/read-batch.ts';
import type { SumPart } from '../codec/records.ts';
import { invalidPacket, sumPart } from '../codec/record-types.ts';
import type { KeySource } from '../crypto/key-source.ts';
import { SampleMismatch } from '../errors.ts';
import { reconstruct } from '../prio/sum.ts';
import { expectedSum } from './expected-sum.ts';
import { MAX_SAMPLE_BINS } from './sample-data.ts';

/** One server's sum parts. */
export interface SumPartSource {
  readonly storage: Storage;
  /** The server's. */
  readonly keys: KeySource;
}

export interface ValidationSetup {
  /** First part of the sum parts' paths. */
  readonly instanceName: string;
  /** Packets in each sample batch. */
  readonly packetCount: number;
  readonly pha: SumPartSource;
  readonly facilitator: SumPartSource;
}

export interface ValidatedSample {
  readonly batches: number;
  readonly packets: number;
}

/**
 * Reads both servers' sum parts of a window that has nothing but samples in it, and compares their sum with what the
 * samples add up to. docs/protocol.md, "Samples".
 * @throws SampleMismatch; ObjectMissing for a sum part that is not there (yet), and whatever keeps one from being read
 *   and verified
 */
export async function validateSample(
  task: WindowTask,
  setup: ValidationSetup,
  signal?: AbortSignal,
): Promise<ValidatedSample> {
  const pha = await sumPartOf(task, setup, 0, signal);
  const facilitator = await sumPartOf(task, setup, 1, signal);
  const { batch_uuids: batches, bins } = pha;
  for (const field of ['name', 'bins', 'batch_uuids', 'total_individual_clients'] as const) {
    if (String(pha[field]) !== String(facilitator[field])) {
      throw mismatch(task, `the two servers' sum parts differ in ${field}`);
    }
  }
  if (bins < 1 || bins > MAX_SAMPLE_BINS || pha.sum.length !== bins || facilitator.sum.length !== bins) {
    throw mismatch(task, `the sum parts are of ${pha.sum.length} and ${facilitator.sum.length} bins, and say ${bins}`);
  }
  // Both are elements of the field, hence below 2^32.
  const actual = reconstruct(pha.sum.map(Number), facilitator.sum.map(Number));
  const expected = await expectedSum(batches, setup.packetCount, bins, signal);
  const wrong = expected.filter((term, bin) => term !== actual[bin]).length;
  if (wrong > 0) {
    throw mismatch(
      task,
      `the sum of ${batches.length} sample batches of ${setup.packetCount} packets is wrong in ${wrong} of ${bins} bins; the servers summed ${pha.total_individual_clients} packets`,
    );
  }
  return { batches: batches.length, packets: Number(pha.total_individual_clients) };
}

async function sumPartOf(
  { aggregationId, window }: WindowTask,
  { instanceName, pha, facilitator }: ValidationSetup,
  server: ServerIndex,
  signal: AbortSignal | undefined,
): Promise<SumPart> {
  const { storage, keys } = server === 0 ? pha : facilitator;
  const objects = sumPartKeys(instanceName, aggregationId, window, server);
  const source = { storage, keys: objects, headerType: sumPart, packetType: invalidPacket };
  return (await readBatch(source, { keys }, signal)).header;
}

function mismatch({ aggregationId, window: { begin, end } }: WindowTask, what: string): SampleMismatch {
  return new SampleMismatch(`${aggregationId}, ${begin.toISOString()} to ${end.toISOString()}: ${what}`);
}
