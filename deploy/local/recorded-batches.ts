import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchId } from '../../common/domain/batch-path.ts';
import type { Interval } from '../../common/domain/interval.ts';
import { parseBatchTime } from '../../common/domain/batch-time.ts';
import type { ServerName } from './places.ts';

/** Batches whose outcome the reference implementation recorded: `test/vectors/README.md`. */
export interface RecordedBatches {
  readonly aggregationId: string;
  readonly instanceName: string;
  readonly window: Interval;
  readonly batches: readonly BatchId[];
  /** Directories with the ingestion batches. */
  readonly ingestion: Readonly<Record<ServerName, string>>;
  /** What each server summed. */
  readonly sums: Readonly<Record<ServerName, readonly number[]>>;
  /** Packets in the sum, the same for both. */
  readonly packets: number;
  readonly keys: RecordedKeys;
}

interface KeyForms {
  readonly pkcs8: string;
  readonly spki: string;
  readonly x963priv: string;
}

export interface RecordedKeys {
  readonly ingestor: KeyForms;
  readonly pha_sign: KeyForms;
  readonly fac_sign: KeyForms;
  readonly pha_enc: KeyForms;
  readonly fac_enc: KeyForms;
}

/** The parts of a `case.json` that matter here. */
interface Case {
  readonly aggregation_id: string;
  readonly instance_name: string;
  readonly aggregation_start: string;
  readonly aggregation_end: string;
  readonly batches: readonly { readonly id: string; readonly time: string }[];
  readonly reference_result: {
    readonly aggregate: Readonly<
      Record<
        ServerName,
        { readonly sum_part: { readonly sum: readonly number[]; readonly total_individual_clients: number } }
      >
    >;
  };
}

/** @param directory `test/vectors/cases` */
export async function readRecordedBatches(directory: string, name: string): Promise<RecordedBatches> {
  const json = async (...path: string[]): Promise<unknown> =>
    JSON.parse(await readFile(join(directory, ...path), 'utf8'));
  // The vectors are ours and never change.
  const recorded = (await json(name, 'case.json')) as Case;
  const keys = (await json('keys.json')) as RecordedKeys;
  const { aggregate } = recorded.reference_result;
  return {
    aggregationId: recorded.aggregation_id,
    instanceName: recorded.instance_name,
    window: { begin: time(recorded.aggregation_start), end: time(recorded.aggregation_end) },
    batches: recorded.batches.map((batch) => ({ id: batch.id, time: time(batch.time) })),
    ingestion: {
      pha: join(directory, name, 'pha', 'ingestion'),
      facilitator: join(directory, name, 'facilitator', 'ingestion'),
    },
    sums: { pha: aggregate.pha.sum_part.sum, facilitator: aggregate.facilitator.sum_part.sum },
    packets: aggregate.pha.sum_part.total_individual_clients,
    keys,
  };
}

function time(text: string): Date {
  const parsed = parseBatchTime(text);
  if (!parsed) throw new Error(`"${text}" in a recorded case is no time`);
  return parsed;
}
