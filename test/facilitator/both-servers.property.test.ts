import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { BatchId, ServerIndex } from '../../common/domain/batch-path.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { aggregate } from '../../facilitator/aggregate.ts';
import type { DataSharePacket } from '../../facilitator/codec/records.ts';
import { intakeBatch } from '../../facilitator/intake.ts';
import { reconstruct } from '../../facilitator/prio/sum.ts';
import { readPeerValidation, readSumPart, storeIngestionBatch, storePeerValidation } from '../support/batches.ts';
import { BEHAVIOURS, contribute, type Contribution } from '../support/contribution.ts';
import { seededRandom } from '../support/prio.ts';
import { referenceMessages, referenceSum, type ClearPacket } from '../support/reference-peer.ts';
import {
  aggregateSetup,
  AGGREGATION,
  intakeSetup,
  newWorld,
  packetKeys,
  WINDOW,
  type World,
} from '../support/servers.ts';

/*
 * Random batches as both servers get them: packets missing, repeated (identical or not), reordered, corrupt, lying,
 * at roots of unity, under two keys. A model in the clear says what must be summed.
 */

const SERVERS = [0, 1] as const;

/** One appearance of a packet at a server: which UUID, and which of the contributions made under it. */
interface Appearance {
  readonly uuid: number;
  readonly variant: number;
}

interface Scenario {
  readonly bins: number;
  /** By UUID, then by variant. */
  readonly behaviours: readonly (readonly (typeof BEHAVIOURS)[number][])[];
  /** By batch, then by server. */
  readonly batches: readonly (readonly [readonly Appearance[], readonly Appearance[]])[];
  /** Batch, server and position whose payload is damaged on the way. */
  readonly corrupt: { readonly batch: number; readonly server: ServerIndex; readonly position: number } | undefined;
}

const UUIDS = 5;

const behaviour = fc.oneof({ weight: 6, arbitrary: fc.constant('honest' as const) }, fc.constantFrom(...BEHAVIOURS));
const appearance = fc.record({
  uuid: fc.integer({ min: 0, max: UUIDS - 1 }),
  // Most packets are sent but once, so the variants of one UUID are mostly the same.
  variant: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constant(1)),
});

/** What one server gets is mostly what the other gets, somewhat shuffled, with some missing and some more. */
const sides = fc
  .tuple(
    fc.array(appearance, { minLength: 1, maxLength: 6 }),
    fc.array(appearance, { maxLength: 2 }),
    fc.nat(),
    fc.nat(),
  )
  .map(([common, extra, rotate, drop]): [Appearance[], Appearance[]] => {
    const turn = rotate % common.length;
    const shuffled = [...common.slice(turn), ...extra, ...common.slice(0, turn)];
    return [common, drop % 3 === 0 && shuffled.length > 1 ? shuffled.toSpliced(drop % shuffled.length, 1) : shuffled];
  });

const scenario: fc.Arbitrary<Scenario> = fc.record({
  bins: fc.integer({ min: 1, max: 9 }),
  behaviours: fc.array(fc.array(behaviour, { minLength: 2, maxLength: 2 }), { minLength: UUIDS, maxLength: UUIDS }),
  batches: fc.array(sides, { minLength: 1, maxLength: 3 }),
  corrupt: fc.option(fc.record({ batch: fc.nat(2), server: fc.constantFrom(...SERVERS), position: fc.nat(7) }), {
    nil: undefined,
    freq: 3,
  }),
});

interface Prepared {
  readonly world: World;
  readonly ids: readonly BatchId[];
  /** By batch, server. */
  readonly clear: readonly (readonly [ClearPacket[], ClearPacket[]])[];
  /** By batch: the contributions that must be counted, by UUID. */
  readonly expected: readonly ReadonlyMap<string, Contribution>[];
  /** By batch: whether a server cannot open it. */
  readonly spoilt: readonly (readonly [boolean, boolean])[];
}

const uuidOf = (batch: number, n: number): string => formatUuidV4(seededRandom(`uuid ${batch} ${n}`)(16));

async function prepare({ bins, behaviours, batches, corrupt }: Scenario): Promise<Prepared> {
  const world = newWorld();
  const made = new Map<string, Contribution>();
  const contributionOf = (batch: number, { uuid, variant }: Appearance): Contribution => {
    const label = `${batch} ${uuid} ${variant}`;
    const known = made.get(label) ?? contribute(behaviours[uuid]![variant]!, bins, label, packetKeys);
    made.set(label, known);
    return known;
  };
  const ids = batches.map((_, b) => ({ id: uuidOf(b, 99), time: new Date(WINDOW.begin.getTime() + b * 60_000) }));
  const spoilt = batches.map((): [boolean, boolean] => [false, false]);
  for (const [b, batch] of batches.entries()) {
    for (const server of SERVERS) {
      const packets = batch[server].map((entry, position): DataSharePacket => {
        const { payloads, rPits } = contributionOf(b, entry);
        const payload = Buffer.from(payloads[server]);
        if (corrupt?.batch === b && corrupt.server === server && corrupt.position === position) {
          payload[payload.length - 1]! ^= 1;
          spoilt[b]![server] = true;
        }
        return {
          uuid: uuidOf(b, entry.uuid),
          encrypted_payload: payload,
          encryption_key_id: null,
          r_pit: rPits[server],
          version_configuration: null,
          device_nonce: null,
        };
      });
      await storeIngestionBatch(world, server, ids[b]!, bins, packets);
    }
  }
  return {
    world,
    ids,
    spoilt,
    clear: batches.map((batch, b) => {
      const of = (server: ServerIndex): ClearPacket[] =>
        batch[server].map((entry) => {
          const { rPits, shares } = contributionOf(b, entry);
          return { uuid: uuidOf(b, entry.uuid), rPit: rPits[server], share: shares[server] };
        });
      return [of(0), of(1)];
    }),
    expected: batches.map((batch, b) => {
      const first = (server: ServerIndex): Map<number, Contribution> => {
        const found = new Map<number, Contribution>();
        for (const entry of batch[server]) if (!found.has(entry.uuid)) found.set(entry.uuid, contributionOf(b, entry));
        return found;
      };
      const [mine, theirs] = [first(0), first(1)];
      const counted = [...mine].filter(
        ([uuid, contribution]) => contribution.isValid && theirs.get(uuid) === contribution,
      );
      return new Map(counted.map(([uuid, contribution]) => [uuidOf(b, uuid), contribution]));
    }),
  };
}

function modelSum(prepared: Prepared, bins: number): { sum: number[]; packets: number } {
  const usable = prepared.expected.filter((_, b) => !prepared.spoilt[b]!.includes(true));
  const counted = usable.flatMap((batch) => [...batch.values()]);
  return {
    sum: Array.from({ length: bins }, (_, k) => counted.reduce((total, { data }) => total + data[k]!, 0)),
    packets: counted.length,
  };
}

/** Takes in every batch at one of our servers; a spoilt one must be refused, and tell the peer nothing. */
async function takeIn({ world, ids, spoilt }: Prepared, server: ServerIndex): Promise<void> {
  for (const [b, batch] of ids.entries()) {
    const taken = intakeBatch({ aggregationId: AGGREGATION, batch }, intakeSetup(world, server));
    if (spoilt[b]![server]) await expect(taken).rejects.toMatchObject({ code: 'E_PACKET_UNDECRYPTABLE' });
    else await taken;
  }
}

/** The batches that the publisher would list for a server: those that the peer has validated. */
const listedFor = ({ ids, spoilt }: Prepared, server: ServerIndex): BatchId[] =>
  ids.filter((_, b) => !spoilt[b]![server === 0 ? 1 : 0]);

async function filesOf(storage: MemoryStorage): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const key of storage.list()) {
    if (!key.endsWith('.sig')) files.set(key, (await readObject(storage, key)).toString('hex'));
  }
  return files;
}

/** Aggregates at one of our servers, with and without the own validation, and checks that it makes no difference. */
async function sumAt(prepared: Prepared, server: ServerIndex): Promise<MemoryStorage> {
  const task = { aggregationId: AGGREGATION, window: WINDOW, batches: listedFor(prepared, server) };
  const portals = [new MemoryStorage('with'), new MemoryStorage('without')] as const;
  await aggregate(task, aggregateSetup(prepared.world, server, portals[0]));
  await aggregate(task, aggregateSetup(prepared.world, server, portals[1], { ownInput: undefined }));
  expect(await filesOf(portals[1])).toEqual(await filesOf(portals[0]));
  return portals[0];
}

describe('both servers sum the same packets, and those that the model sums', () => {
  it('where both are ours', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const prepared = await prepare(given);
        fc.pre(SERVERS.every((server) => listedFor(prepared, server).length > 0));
        for (const server of SERVERS) await takeIn(prepared, server);
        const parts = [];
        for (const server of SERVERS) parts.push(await readSumPart(await sumAt(prepared, server), server));
        const model = modelSum(prepared, given.bins);
        const [a, b] = parts.map(({ header }) => header.sum.map(Number)) as [number[], number[]];
        expect([...reconstruct(a, b)]).toEqual(model.sum);
        expect(parts.map(({ header }) => header.total_individual_clients)).toEqual([model.packets, model.packets]);
      }),
      { numRuns: 300 },
    );
  });

  it.each(SERVERS)('where the peer of server %i is the reference', async (server) => {
    const peer: ServerIndex = server === 0 ? 1 : 0;
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const prepared = await prepare(given);
        fc.pre(listedFor(prepared, server).length > 0);
        const { world, ids, clear, spoilt } = prepared;
        for (const [b, batch] of ids.entries()) {
          if (spoilt[b]![peer]) continue;
          const messages = referenceMessages(clear[b]![peer], given.bins, peer === 0);
          await storePeerValidation(world, peer, batch, given.bins, messages);
        }
        await takeIn(prepared, server);
        const { header } = await readSumPart(await sumAt(prepared, server), server);
        let peerSum: Uint32Array = new Uint32Array(given.bins);
        for (const [b, batch] of ids.entries()) {
          if (spoilt[b]!.includes(true)) continue;
          const ours = await readPeerValidation(world, server, batch);
          const theirs = referenceSum(clear[b]![peer], given.bins, peer === 0, ours.packets());
          expect(theirs.counted).toEqual(new Set(prepared.expected[b]!.keys()));
          peerSum = reconstruct(peerSum, theirs.sum);
        }
        const model = modelSum(prepared, given.bins);
        expect([...reconstruct(header.sum.map(Number), peerSum)]).toEqual(model.sum);
        expect(header.total_individual_clients).toBe(model.packets);
      }),
      { numRuns: 80 },
    );
  });
});
