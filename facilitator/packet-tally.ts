import type { LabelsOf, Metrics } from './metrics/metrics.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';

/** What may become of a packet. */
export type PacketResult = LabelsOf<'facilitator_packets_total'>['result'];

/** How many packets came to what, and the bytes of their encrypted payloads. */
export interface PacketTally {
  readonly results: Readonly<Partial<Record<PacketResult, number>>>;
  readonly bytes: number;
}

export const EMPTY_TALLY: PacketTally = { results: {}, bytes: 0 };

export function addTallies(a: PacketTally, b: PacketTally): PacketTally {
  const results = { ...a.results };
  for (const [result, count] of resultsOf(b)) results[result] = (results[result] ?? 0) + count;
  return { results, bytes: a.bytes + b.bytes };
}

export function countPackets(
  metrics: Metrics,
  task: LabelsOf<'facilitator_packets_total'>['task'],
  aggregationId: string,
  { results }: Pick<PacketTally, 'results'>,
): void {
  for (const [result, count] of resultsOf({ results })) {
    if (count > 0)
      metrics.increment('facilitator_packets_total', { task, aggregation_id: aggregationId, result }, count);
  }
}

/** What was seen while the packets of a batch were opened, also if that failed. */
export class OpeningTally {
  /** Records of the packet file, as far as it was read. */
  packets = 0;
  readonly #keyUses: number[] = [];

  /** @param uses by the index of the key */
  addKeyUses(uses: readonly number[]): void {
    for (const [i, count] of uses.entries()) this.#keyUses[i] = (this.#keyUses[i] ?? 0) + count;
  }

  /** @param decryptors the keys, in the order of their indexes */
  countKeyUses(metrics: Metrics, decryptors: readonly PacketDecryptor[]): void {
    for (const [i, { keyId }] of decryptors.entries()) {
      const uses = this.#keyUses[i] ?? 0;
      if (uses > 0) metrics.increment('facilitator_key_uses_total', { use: 'open_packet', key_id: keyId }, uses);
    }
  }
}

function resultsOf({ results }: Pick<PacketTally, 'results'>): [PacketResult, number][] {
  // Its keys are those of its type; `Object.entries` forgets that.
  return Object.entries(results) as [PacketResult, number][];
}
