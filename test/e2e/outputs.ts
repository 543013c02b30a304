import { openStorage } from '../../common/backends/storage/open.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { SERVERS } from '../../deploy/local/places.ts';
import { plainSum } from '../../deploy/local/plain-sums.ts';
import { histogram, readSumPart } from '../../deploy/local/sum-parts.ts';
import { readSingleRecord } from '../../facilitator/codec/read.ts';
import { batchSignature } from '../../facilitator/codec/record-types.ts';
import { digest, LOAD, type Input } from './input.ts';
import type { World } from './world.ts';

/** What markers and claims of the publisher begin with; they tell of runs, and differ with them. */
const OF_THE_PUBLISHER = /^task-/;

/** Every object that the servers have written, by bucket and key, as a digest; of signatures all but their values. */
export async function outputsOf(world: World): Promise<Map<string, string>> {
  const outputs = new Map<string, string>();
  const collect = async (name: string, storage: Storage): Promise<void> => {
    for await (const key of storage.list()) {
      if (OF_THE_PUBLISHER.test(key)) continue;
      const bytes = await readObject(storage, key);
      outputs.set(`${name}/${key}`, key.endsWith('.sig') ? signatureWithoutValue(bytes) : digest(bytes));
    }
  };
  for (const server of SERVERS) {
    await collect(`${server} own validation`, world.storage(server, 'ownValidation'));
    await collect(`${server} peer validation`, world.storage(server, 'peerValidation'));
  }
  await collect('portal', openStorage(world.places.portal));
  return outputs;
}

function signatureWithoutValue(file: Uint8Array): string {
  const { batch_header, packets, key_identifier } = readSingleRecord(batchSignature, file).record;
  const parts = [batch_header, packets].map((bytes) => (bytes ? digest(bytes) : 'none'));
  return ['signature by', key_identifier, ...parts].join(' ');
}

/** What a world must come to, and what it has come to. */
export interface Sums {
  readonly histogram: readonly number[];
  readonly packets: number;
  readonly batches: number;
  readonly invalidPackets: number;
}

/** By ordinary addition of the plain data. */
export function expectedSums({ aggregations }: Input): Sums[] {
  return aggregations.map((aggregation) => ({
    histogram: plainSum(aggregation, LOAD.bins),
    packets: aggregation.batches.reduce((sum, { packets }) => sum + packets, 0),
    batches: aggregation.batches.length,
    invalidPackets: 0,
  }));
}

/** Of the sum parts that both servers have published, as a portal would verify and add them. */
export async function publishedSums({ input, places }: World): Promise<Sums[]> {
  const { keys, aggregations, window } = input;
  return Promise.all(
    aggregations.map(async ({ id: aggregationId }) => {
      const about = { instanceName: 'e2e', aggregationId, window };
      const portal = openStorage(places.portal);
      const pha = await readSumPart(portal, 'pha', about, keys.signing.pha.spki);
      const facilitator = await readSumPart(portal, 'facilitator', about, keys.signing.facilitator.spki);
      return {
        histogram: histogram(pha, facilitator),
        packets: Number(pha.part.total_individual_clients),
        batches: facilitator.part.batch_uuids.length,
        invalidPackets: pha.invalidPackets + facilitator.invalidPackets,
      };
    }),
  );
}
