import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { sealedSumKey, type ServerIndex } from '../../common/domain/batch-path.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { aggregate } from '../../facilitator/aggregate.ts';
import type { AggregateSetup } from '../../facilitator/aggregate.ts';
import { readPeerValidation, readSumPart, storeIngestionBatch, storePeerValidation } from '../support/batches.ts';
import { BEHAVIOURS } from '../support/contribution.ts';
import { BINS, batchId, contributions, packetsFor, takeInAtBoth } from '../support/honest-batch.ts';
import { memoryMetrics } from '../support/memory-metrics.ts';
import { aggregateSetup, AGGREGATION, newWorld, other, WINDOW, type World } from '../support/servers.ts';

/*
 * However aggregate comes by our side of a batch, the sum part is the same.
 */

const batch = batchId(0);
const task = { aggregationId: AGGREGATION, window: WINDOW, batches: [batch] };

/** Which packets a file holds, by index into the contributions, repeats among them. */
const pick = (count: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 2 * count });

const scenario = fc.array(fc.constantFrom(...BEHAVIOURS), { minLength: 1, maxLength: 8 }).chain((behaviours) =>
  fc.record({
    behaviours: fc.constant(behaviours),
    files: fc.tuple(pick(behaviours.length), pick(behaviours.length)),
    server: fc.constantFrom<ServerIndex>(0, 1),
    /** What the peer's file is turned into. */
    shuffle: fc.boolean(),
  }),
);

type Change = (world: World, server: ServerIndex) => Promise<Partial<AggregateSetup>>;

const key = (server: ServerIndex): string => sealedSumKey(AGGREGATION, batch, server);

async function rewrite(world: World, server: ServerIndex, change: (file: Buffer) => void): Promise<void> {
  const file = await readObject(world.ownValidation[server], key(server));
  change(file);
  await world.ownValidation[server].put(key(server), file);
}

/** Every way in which the sealed sum may be of no use, and what the metric calls it. */
const PATHS: Readonly<Record<string, Change>> = {
  used: async () => ({}),
  missing: async (world, server) => {
    await world.ownValidation[server].delete(key(server));
    return {};
  },
  other_version: async (world, server) => {
    await rewrite(world, server, (file) => file.writeUInt8(file[7]! + 1, 7));
    return {};
  },
  no_sealed_sum: async (world, server) => {
    await rewrite(world, server, (file) => file.fill(0));
    return {};
  },
  no_key: async (world, server) => {
    await rewrite(world, server, (file) => file.writeUInt8(file.at(-1)! ^ 1, file.length - 1));
    return {};
  },
  'without our own validation': async () => ({ ownInput: new MemoryStorage('empty') }),
};

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

async function prepared({ behaviours, files, server, shuffle }: Scenario): Promise<World> {
  const world = newWorld();
  const made = contributions(0, behaviours);
  for (const side of [0, 1] as const) {
    const packets = packetsFor(side, 0, made);
    await storeIngestionBatch(
      world,
      side,
      batch,
      BINS,
      files[side].map((i) => packets[i]!),
    );
  }
  await takeInAtBoth(world, 0);
  if (shuffle) {
    const peers = [...(await readPeerValidation(world, other(server), batch)).packets()];
    await storePeerValidation(world, other(server), batch, BINS, peers.toReversed());
  }
  return world;
}

describe('the sum part is the same', () => {
  it('whether the sealed sum is used, or why it is not', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (drawn) => {
        const found: unknown[] = [];
        for (const [name, change] of Object.entries(PATHS)) {
          const world = await prepared(drawn);
          const portal = new MemoryStorage('portal');
          const metrics = memoryMetrics();
          const setup = aggregateSetup(world, drawn.server, portal, { metrics });
          const outcome = await aggregate(task, { ...setup, ...(await change(world, drawn.server)) });
          const part = await readSumPart(portal, drawn.server);
          found.push({
            outcome,
            header: part.header,
            invalid: [...part.packets()],
            packets: metrics.of('facilitator_packets_total'),
          });
          const used = `facilitator_sealed_sums_total{aggregation_id="${AGGREGATION}",result="${name}"}`;
          expect(metrics.of('facilitator_sealed_sums_total')).toEqual(name.includes(' ') ? {} : { [used]: 1 });
        }
        for (const one of found) expect(one).toEqual(found[0]);
      }),
      { numRuns: 40 },
    );
  });
});
