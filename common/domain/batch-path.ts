import { formatBatchTime, formatCompactTime } from './batch-time.ts';
import type { Interval } from './interval.ts';

/** The index of a data share processor: 0 is the PHA ("first"), 1 the facilitator. */
export type ServerIndex = 0 | 1;

/** What identifies a batch within an aggregation: two batches with one id at different times are two batches. */
export interface BatchId {
  /** Canonical UUID. */
  readonly id: string;
  /** UTC, to the minute. */
  readonly time: Date;
}

/** The keys of the objects that make up a batch. `docs/protocol.md`, "Object names". */
export interface BatchKeys {
  readonly header: string;
  readonly packets: string;
  readonly signature: string;
}

const batchKeys = (base: string, infix: string): BatchKeys => ({
  header: `${base}.${infix}`,
  packets: `${base}.${infix}.avro`,
  signature: `${base}.${infix}.sig`,
});

const batchBase = (aggregationId: string, batch: BatchId): string =>
  `${aggregationId}/${formatBatchTime(batch.time)}/${batch.id}`;

/** A batch of shares from the ingestion server. */
export function ingestionKeys(aggregationId: string, batch: BatchId): BatchKeys {
  return batchKeys(batchBase(aggregationId, batch), 'batch');
}

/** The verification messages that server `writer` made for a batch. */
export function validationKeys(aggregationId: string, batch: BatchId, writer: ServerIndex): BatchKeys {
  return batchKeys(batchBase(aggregationId, batch), `validity_${writer}`);
}

/** The sum part that server `writer` made for a window; its packet file lists the UUIDs of invalid packets. */
export function sumPartKeys(
  instanceName: string,
  aggregationId: string,
  window: Interval,
  writer: ServerIndex,
): BatchKeys {
  const base = `${instanceName}/${aggregationId}/${formatCompactTime(window.begin)}-${formatCompactTime(window.end)}`;
  return {
    header: `${base}.sum_${writer}`,
    packets: `${base}.invalid_uuid_${writer}.avro`,
    signature: `${base}.sum_${writer}.sig`,
  };
}

/** What sealed sums have in front of the batch's name, so that none lies among an aggregation's batches. */
export const SEALED_SUM_PREFIX = 'sealed-sums/';

/**
 * The sum of a batch's shares that server `writer` sealed for itself. No aggregation's batches have such a name, not
 * even those of an aggregation that is called `sealed-sums`: theirs have the year where this has an aggregation, and
 * hence one segment less.
 */
export function sealedSumKey(aggregationId: string, batch: BatchId, writer: ServerIndex): string {
  return `${SEALED_SUM_PREFIX}${batchBase(aggregationId, batch)}.${writer}`;
}

/** For logs and errors: `<aggregation>/<time>/<id>`. */
export function describeBatch(aggregationId: string, batch: BatchId): string {
  return batchBase(aggregationId, batch);
}
