import { MemoryStorage } from '../../../common/backends/storage/memory.ts';
import { sumPartKeys, type ServerIndex } from '../../../common/domain/batch-path.ts';
import { writeBatch } from '../../../facilitator/batch/write-batch.ts';
import { invalidPacket, sumPart } from '../../../facilitator/codec/record-types.ts';
import type { SumPart } from '../../../facilitator/codec/records.ts';
import { fixedKeys } from '../../../facilitator/crypto/key-source.ts';
import { P } from '../../../facilitator/prio/field.ts';
import { expectedSum } from '../../../facilitator/sample/expected-sum.ts';
import type { SumPartSource, ValidationSetup } from '../../../facilitator/sample/validate.ts';
import { AGGREGATION, serverKeys, WINDOW } from '../../support/servers.ts';

export const BATCHES = ['9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b', '00000000-0000-4000-8000-000000000000'];
export const PACKETS = 7;
export const BINS = 20;
export const TASK = { traceId: BATCHES[0]!, aggregationId: AGGREGATION, window: WINDOW };

/** Sum parts of both servers for the samples `BATCHES`, right but for what a test changes. */
export async function publishSums(
  setup: ValidationSetup,
  changes: readonly [Partial<SumPart>?, Partial<SumPart>?] = [],
  signers = serverKeys,
): Promise<void> {
  const expected = await expectedSum(BATCHES, PACKETS, BINS);
  // Any share does; the other is what is left.
  const shares = [
    expected.map((_, bin) => 4_000_000_000 + bin),
    expected.map((term, bin) => (term + P - bin + P - 4_000_000_000) % P),
  ];
  for (const server of [0, 1] satisfies readonly ServerIndex[]) {
    const header = (packetFileDigest: Uint8Array): SumPart => ({
      batch_uuids: BATCHES,
      name: AGGREGATION,
      bins: BINS,
      epsilon: 0.23,
      prime: P,
      number_of_servers: 2,
      hamming_weight: null,
      // There is one for each server.
      sum: shares[server]!,
      aggregation_start_time: WINDOW.begin.getTime(),
      aggregation_end_time: WINDOW.end.getTime(),
      total_individual_clients: BATCHES.length * PACKETS,
      packet_file_digest: packetFileDigest,
      ...changes[server],
    });
    const keys = sumPartKeys(setup.instanceName, AGGREGATION, WINDOW, server);
    const { storage } = server === 0 ? setup.pha : setup.facilitator;
    const content = { headerType: sumPart, header, packetType: invalidPacket, packets: [] };
    await writeBatch(storage, keys, content, signers[server]);
  }
}

export function validationSetup(changes: Partial<ValidationSetup> = {}): ValidationSetup {
  const source = (server: ServerIndex): SumPartSource => {
    const key = serverKeys[server];
    return {
      storage: new MemoryStorage(`sums-${server}`),
      keys: fixedKeys(new Map([[key.identifier, key.publicKey]])),
    };
  };
  return { instanceName: 'test', packetCount: PACKETS, pha: source(0), facilitator: source(1), ...changes };
}
