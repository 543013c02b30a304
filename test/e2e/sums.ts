import { createPublicKey } from 'node:crypto';
import { openStorage } from '../../common/backends/storage/open.ts';
import { sumPartKeys } from '../../common/domain/batch-path.ts';
import { isFirst, type ServerName } from '../../deploy/local/places.ts';
import { plainSum } from '../../deploy/local/plain-sums.ts';
import { readBatch } from '../../facilitator/batch/read-batch.ts';
import { invalidPacket, sumPart } from '../../facilitator/codec/record-types.ts';
import { soleKey } from '../../facilitator/crypto/key-source.ts';
import { reconstruct } from '../../facilitator/prio/sum.ts';
import { KEYS, LOAD, type Input } from './input.ts';
import type { World } from './world.ts';

/** What one server publishes of an aggregation. */
export interface ServerSum {
  /** Shares: elements of the field, one a bin. */
  readonly sum: readonly number[];
  /** Packets in the sum. */
  readonly packets: number;
  readonly batches: number;
  /** UUIDs, sorted. */
  readonly invalid: readonly string[];
}

export type AggregationSums = Readonly<Record<ServerName, ServerSum>>;

/** By aggregation. */
export type Sums = Readonly<Record<string, AggregationSums>>;

/** Reads and verifies the sum parts that both servers have published, as a portal would. */
export async function publishedSums({ input, places }: World): Promise<Sums> {
  const portal = openStorage(places.portal);
  const read = async (id: string, server: ServerName): Promise<ServerSum> => {
    const { spki } = KEYS.signing[server];
    const publicKey = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
    const keys = sumPartKeys('e2e', id, input.window, isFirst(server) ? 0 : 1);
    const source = { storage: portal, keys, headerType: sumPart, packetType: invalidPacket };
    const { header, packets } = await readBatch(source, { keys: soleKey(publicKey) });
    return {
      sum: header.sum.map(Number),
      packets: Number(header.total_individual_clients),
      batches: header.batch_uuids.length,
      invalid: [...packets()].map(({ uuid }) => uuid).sort(),
    };
  };
  const sums: Record<string, AggregationSums> = {};
  for (const { id } of input.aggregations) {
    sums[id] = { pha: await read(id, 'pha'), facilitator: await read(id, 'facilitator') };
  }
  return sums;
}

/** Of both servers' sums together: a histogram, and from how many packets. */
export interface Total {
  readonly histogram: readonly number[];
  readonly packets: readonly [number, number];
}

const totalOf = ({ pha, facilitator }: AggregationSums): Total => ({
  histogram: Array.from(reconstruct(pha.sum, facilitator.sum)),
  packets: [pha.packets, facilitator.packets],
});

/** Of the aggregations whose plain data we have. */
export function generatedTotals({ generated }: Input, sums: Sums): Total[] {
  // There are sums of every aggregation.
  return generated.map(({ id }) => totalOf(sums[id]!));
}

/** The same by ordinary addition of the plain data. */
export function plainTotals({ generated }: Input): Total[] {
  return generated.map((aggregation) => {
    const packets = aggregation.batches.reduce((sum, batch) => sum + batch.packets, 0);
    return { histogram: plainSum(aggregation, LOAD.bins), packets: [packets, packets] };
  });
}

/** What the reference recorded of an aggregation, or what is to be the same. */
export interface RecordedSum {
  readonly sums: Readonly<Record<ServerName, readonly number[]>>;
  readonly packets: number;
}

/** Of the aggregations that the reference has summed. */
export function recordedSums({ recorded }: Input, sums: Sums): RecordedSum[] {
  return recorded.map(({ aggregationId }) => {
    // There are sums of every aggregation.
    const { pha, facilitator } = sums[aggregationId]!;
    // It counts packets whose proofs fail: docs/protocol.md, "Differences from the reference".
    return { sums: { pha: pha.sum, facilitator: facilitator.sum }, packets: pha.packets + pha.invalid.length };
  });
}

/** The same as recorded. */
export function referenceSums({ recorded }: Input): RecordedSum[] {
  return recorded.map(({ sums, packets }) => ({ sums, packets }));
}
