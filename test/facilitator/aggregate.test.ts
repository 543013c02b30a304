import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { ingestionKeys, sumPartKeys, validationKeys, type ServerIndex } from '../../common/domain/batch-path.ts';
import { PermissionDenied } from '../../common/errors.ts';
import { aggregate } from '../../facilitator/aggregate.ts';
import type { ValidationPacket } from '../../facilitator/codec/records.ts';
import { fixedKeys } from '../../facilitator/crypto/key-source.ts';
import { intakeBatch } from '../../facilitator/intake.ts';
import { reconstruct } from '../../facilitator/prio/sum.ts';
import {
  keysIn,
  readPeerValidation,
  readSumPart,
  storeIngestionBatch,
  storePeerValidation,
} from '../support/batches.ts';
import {
  BINS,
  batchId,
  contributions,
  honest,
  ingest,
  packetsFor,
  packetUuid,
  sumOf,
  takeInAtBoth,
} from '../support/honest-batch.ts';
import { interleaved, Schedule } from '../support/interleaved-storage.ts';
import { readOnlyStorage } from '../support/read-only-storage.ts';
import {
  aggregateSetup,
  AGGREGATION,
  intakeSetup,
  newSigningKey,
  newWorld,
  other,
  WINDOW,
  type World,
} from '../support/servers.ts';

const task = (...numbers: number[]): Parameters<typeof aggregate>[0] => ({
  aggregationId: AGGREGATION,
  window: WINDOW,
  batches: numbers.map(batchId),
});

let world: World;
let portals: readonly [MemoryStorage, MemoryStorage];
beforeEach(() => {
  world = newWorld();
  portals = [new MemoryStorage('portal-pha'), new MemoryStorage('portal-facilitator')];
});

const run = (
  server: ServerIndex,
  what = task(0),
  changes: Parameters<typeof aggregateSetup>[3] = {},
): Promise<unknown> => aggregate(what, aggregateSetup(world, server, portals[server], changes));

/** Both servers' sum parts put together, and what each says of its packets. */
async function published(): Promise<{ sum: number[]; clients: unknown[]; invalid: string[][]; batches: unknown[] }> {
  const parts = [await readSumPart(portals[0], 0), await readSumPart(portals[1], 1)];
  const [a, b] = parts.map(({ header }) => header.sum.map(Number)) as [number[], number[]];
  return {
    sum: [...reconstruct(a, b)],
    clients: parts.map(({ header }) => header.total_individual_clients),
    invalid: parts.map(({ packets }) => [...packets()].map(({ uuid }) => uuid)),
    batches: parts.map(({ header }) => header.batch_uuids),
  };
}

describe('end to end', () => {
  it('two batches of 16 and 14 packets give the plain sum', async () => {
    const made = [...(await ingest(world, 0, honest(16))), ...(await ingest(world, 1, honest(14)))];
    for (const n of [0, 1]) await takeInAtBoth(world, n);
    await run(0, task(0, 1));
    await run(1, task(0, 1));
    const ids = [batchId(0).id, batchId(1).id];
    expect(await published()).toEqual({ sum: sumOf(made), clients: [30, 30], invalid: [[], []], batches: [ids, ids] });
  });

  it('batches that reach the servers with different packets missing give the sum over the common ones', async () => {
    const made = contributions(0, honest(16));
    const has = (server: ServerIndex, i: number): boolean => i % (server === 0 ? 3 : 4) !== 0;
    for (const server of [0, 1] as const) {
      const packets = packetsFor(server, 0, made).filter((_, i) => has(server, i));
      await storeIngestionBatch(world, server, batchId(0), BINS, packets);
    }
    await takeInAtBoth(world, 0);
    await run(0);
    await run(1);
    const all = made.map((_, i) => i);
    const common = all.filter((i) => has(0, i) && has(1, i));
    const onlyAt = (server: ServerIndex): string[] =>
      all.filter((i) => has(server, i) && !has(other(server), i)).map((i) => packetUuid(0, i));
    expect(await published()).toMatchObject({
      sum: sumOf(common.map((i) => made[i]!)),
      clients: [common.length, common.length],
      invalid: [onlyAt(0), onlyAt(1)],
    });
  });

  it('a batch that one server cannot decrypt is left out there; its UUID is not listed', async () => {
    const made = await ingest(world, 0, honest(4));
    await ingest(world, 1, ['honest', 'second key']);
    await takeInAtBoth(world, 0);
    await intakeBatch({ aggregationId: AGGREGATION, batch: batchId(1) }, intakeSetup(world, 1));
    const decryptors = intakeSetup(world, 0).decryptors.slice(0, 1);
    await run(0, task(0, 1), { decryptors });
    await run(1, task(0));
    expect(await published()).toMatchObject({ sum: sumOf(made), batches: [[batchId(0).id], [batchId(0).id]] });
  });

  it('an empty batch is left out, wherever it stands', async () => {
    const made = await ingest(world, 1, honest(3));
    await ingest(world, 0, []);
    await ingest(world, 2, []);
    await takeInAtBoth(world, 1);
    await run(0, task(0, 1, 2));
    await run(1, task(0, 1, 2));
    expect(await published()).toMatchObject({ sum: sumOf(made), batches: [[batchId(1).id], [batchId(1).id]] });
  });
});

describe('total_individual_clients and the list of invalid packets', () => {
  it('leave a failed proof, a root of unity and split evaluation points out of the sum', async () => {
    const behaviours = ['honest', 'cheating', 'root of unity', 'two points', 'honest'] as const;
    const made = await ingest(world, 0, behaviours);
    await takeInAtBoth(world, 0);
    await run(0);
    await run(1);
    const invalid = [1, 2, 3].map((i) => packetUuid(0, i));
    expect(await published()).toMatchObject({
      sum: sumOf([made[0]!, made[4]!]),
      clients: [2, 2],
      invalid: [invalid, invalid],
    });
  });

  it('leave out a packet at a root of unity whatever the peer says about it', async () => {
    const made = await ingest(world, 0, ['root of unity', 'honest']);
    await takeInAtBoth(world, 0);
    const told = [...(await readPeerValidation(world, 1, batchId(0))).packets()];
    const lie: ValidationPacket = { uuid: packetUuid(0, 0), f_r: 0, g_r: 0, h_r: 2 ** 40 };
    await storePeerValidation(world, 1, batchId(0), BINS, [lie, ...told]);
    await run(0);
    const { header, packets } = await readSumPart(portals[0], 0);
    expect(header.total_individual_clients).toBe(1);
    expect([...packets()].map(({ uuid }) => uuid)).toEqual([packetUuid(0, 0)]);
    expect(made).toHaveLength(2);
  });

  it('count a repeated packet once, and list one without the peer’s message at every repeat', async () => {
    const made = contributions(0, honest(2));
    const [a, b] = packetsFor(0, 0, made);
    await storeIngestionBatch(world, 0, batchId(0), BINS, [a!, b!, a!, b!]);
    await storeIngestionBatch(world, 1, batchId(0), BINS, packetsFor(1, 0, made).slice(0, 1));
    await takeInAtBoth(world, 0);
    await run(0);
    await run(1);
    const invalid = [packetUuid(0, 1), packetUuid(0, 1)];
    expect(await published()).toMatchObject({ sum: sumOf([made[0]!]), clients: [1, 1], invalid: [invalid, []] });
  });
});

describe('a batch is (id, time)', () => {
  it('and counts once where the task lists it twice', async () => {
    const made = await ingest(world, 0, honest(3));
    await takeInAtBoth(world, 0);
    await run(0, task(0, 0));
    await run(1, task(0, 0, 0));
    expect(await published()).toMatchObject({
      sum: sumOf(made),
      clients: [3, 3],
      batches: [[batchId(0).id], [batchId(0).id]],
    });
  });
});

describe('aggregate fails and publishes nothing', () => {
  const fails = async (what: Promise<unknown>, code: string, fate: string): Promise<void> => {
    await expect(what).rejects.toMatchObject({ code, fate });
    expect(await keysIn(portals[0])).toEqual([]);
  };
  it('where all batches are empty', async () => {
    await ingest(world, 0, []);
    await fails(run(0), 'E_AGGREGATION_EMPTY', 'reject');
  });

  it('where the task lists no batch', async () => {
    await fails(run(0, task()), 'E_AGGREGATION_EMPTY', 'reject');
  });

  it('where the peer has not answered', async () => {
    await ingest(world, 0, honest(1));
    await fails(run(0), 'E_PEER_VALIDATION', 'retry');
  });

  it('where the ingestion batch is not there', async () => {
    await fails(run(0), 'E_OBJECT_MISSING', 'retry');
  });

  it('where the two servers were told different parameters', async () => {
    await ingest(world, 0, honest(1));
    await storeIngestionBatch(world, 1, batchId(0), BINS, packetsFor(1, 0, contributions(0, honest(1))), {
      epsilon: 0.12,
    });
    await takeInAtBoth(world, 0);
    await fails(run(0), 'E_HEADERS_DIFFER', 'reject');
  });

  it.each([
    // The next double after the others' 0.11.
    ['epsilon', { epsilon: 0.110_000_000_000_000_01 }],
    ['prime', { prime: 7 }],
    ['number_of_servers', { number_of_servers: 3 }],
    ['hamming_weight', { hamming_weight: 1 }],
  ])('where two batches differ in %s, also if the first is left out', async (field, change) => {
    const made = contributions(1, honest(1));
    await ingest(world, 0, ['second key']);
    for (const server of [0, 1] as const) {
      await storeIngestionBatch(world, server, batchId(1), BINS, packetsFor(server, 1, made), change);
    }
    for (const n of [0, 1]) await takeInAtBoth(world, n);
    const decryptors = intakeSetup(world, 0).decryptors.slice(0, 1);
    const failure = run(0, task(0, 1), { decryptors, ownInput: undefined });
    await expect(failure).rejects.toThrow(field);
    await fails(failure, 'E_HEADERS_DIFFER', 'reject');
  });

  it('where the header is of another batch', async () => {
    await storeIngestionBatch(world, 0, batchId(0), BINS, packetsFor(0, 0, contributions(0, honest(1))), {
      batch_uuid: batchId(5).id,
    });
    await fails(run(0), 'E_HEADER_CONTRADICTS_TASK', 'reject');
  });

  it('where the bins are too many', async () => {
    await storeIngestionBatch(world, 0, batchId(0), 2 ** 31 - 1, packetsFor(0, 0, contributions(0, honest(1))));
    await fails(run(0), 'E_BINS', 'reject');
  });

  it.each([-1, 2 ** 32, 2n ** 62n])('where the peer’s message about a packet is %s', async (f_r) => {
    await ingest(world, 0, honest(2));
    await takeInAtBoth(world, 0);
    const told = [...(await readPeerValidation(world, 1, batchId(0))).packets()];
    await storePeerValidation(world, 1, batchId(0), BINS, [told[0]!, { ...told[1]!, f_r }]);
    await fails(run(0), 'E_PEER_VALIDATION', 'retry');
  });

  it('but not where it is about a packet that we do not have', async () => {
    await ingest(world, 0, honest(1));
    await takeInAtBoth(world, 0);
    const told = [...(await readPeerValidation(world, 1, batchId(0))).packets()];
    const stray = { uuid: packetUuid(9, 9), f_r: -1, g_r: 2 ** 33, h_r: 2n ** 62n };
    await storePeerValidation(world, 1, batchId(0), BINS, [stray, ...told]);
    await run(0);
    expect((await readSumPart(portals[0], 0)).header.total_individual_clients).toBe(1);
  });

  it('where the peer’s batch is signed by nobody we know, or lost its packets', async () => {
    await ingest(world, 0, honest(1));
    await takeInAtBoth(world, 0);
    await fails(run(0, task(0), { peerKeys: fixedKeys(new Map()) }), 'E_PEER_VALIDATION', 'retry');
    const wrong = newSigningKey('facilitator-key');
    const peerKeys = fixedKeys(new Map([[wrong.identifier, wrong.publicKey]]));
    await fails(run(0, task(0), { peerKeys }), 'E_PEER_VALIDATION', 'retry');
    await world.peerValidation[0].delete(validationKeys(AGGREGATION, batchId(0), 1).packets);
    await fails(run(0, task(0), { permitMalformed: true }), 'E_PEER_VALIDATION', 'retry');
  });

  it('where the ingestion batch’s digest is wrong', async () => {
    await ingest(world, 0, honest(1));
    await takeInAtBoth(world, 0);
    await storeIngestionBatch(world, 0, batchId(0), BINS, packetsFor(0, 0, contributions(0, honest(1))), {
      packet_file_digest: Buffer.alloc(32),
    });
    await fails(run(0, task(0), { ownInput: undefined }), 'E_DIGEST_MISMATCH', 'reject');
  });
});

describe('executed again, aggregate', () => {
  beforeEach(async () => {
    for (const n of [0, 1]) {
      await ingest(world, n, ['honest', 'cheating']);
      await takeInAtBoth(world, n);
    }
  });

  it('writes nothing', async () => {
    const portalOutput = readOnlyStorage(portals[0]);
    expect(await run(0)).toMatchObject({ isPublished: true });
    expect(await run(0, task(0), { portalOutput })).toEqual({
      batches: 1,
      packets: 1,
      invalidPackets: 1,
      isPublished: false,
    });
  });

  it('over other batches fails, and what is published stays', async () => {
    await run(0, task(0, 1));
    const portalOutput = readOnlyStorage(portals[0]);
    const failure = run(0, task(1), { portalOutput });
    await expect(failure).rejects.toMatchObject({ code: 'E_SUM_PART', fate: 'reject' });
    await expect(failure).rejects.toThrow('batch_uuids');
    expect((await readSumPart(portals[0], 0)).header.batch_uuids).toEqual([batchId(0).id, batchId(1).id]);
  });

  it('over other batches at the same time publishes one of the two, as a whole', async () => {
    const tasks = [task(0, 1), task(1)] as const;
    const turns = fc.array(fc.nat({ max: 1 }), { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(turns, fc.boolean(), async (order, hasOwnOutput) => {
        const [portal, own] = [new MemoryStorage('portal'), new MemoryStorage('own')];
        const schedule = new Schedule(order);
        const ends = await schedule.run(
          tasks.map((what) => (turn) => {
            const portalOutput = interleaved(portal, schedule, turn);
            const ownOutput = hasOwnOutput ? interleaved(own, schedule, turn) : undefined;
            return run(0, what, { portalOutput, ownOutput });
          }),
        );
        const { header, packets } = await readSumPart(portal, 0);
        const winner = tasks.findIndex(({ batches }) => batches.length === header.batch_uuids.length);
        expect(header.batch_uuids).toEqual(tasks[winner]!.batches.map(({ id }) => id));
        expect([...packets()]).toHaveLength(header.batch_uuids.length);
        expect(ends[winner]).toMatchObject({ status: 'fulfilled', value: { isPublished: true } });
        expect(ends[1 - winner]).toMatchObject({ status: 'rejected', reason: { code: 'E_SUM_PART' } });
      }),
      { numRuns: 60 },
    );
  });

  it('does no work where nothing could tell whether it was before', async () => {
    const denied = async (): Promise<never> => {
      throw new PermissionDenied('no');
    };
    const portalOutput = Object.assign(new MemoryStorage('portal'), { get: denied });
    const ingestorInput = readOnlyStorage(new MemoryStorage('not even there'));
    await expect(run(0, task(0), { portalOutput, ingestorInput })).rejects.toMatchObject({ code: 'E_CONFIGURATION' });
    const own = new MemoryStorage('own');
    expect(await run(0, task(0), { portalOutput, ownOutput: own })).toMatchObject({ isPublished: true });
    expect(await keysIn(own)).toEqual([`sum-parts/${sumPartKeys('test', AGGREGATION, WINDOW, 0).signature}`]);
  });
});

it('a single-object validation batch is read as well as three objects', async () => {
  const made = await ingest(world, 0, honest(2));
  for (const server of [0, 1] as const) {
    const setup = intakeSetup(world, server, { singleObject: true });
    await intakeBatch({ aggregationId: AGGREGATION, batch: batchId(0) }, setup);
  }
  await run(0);
  await run(1);
  expect((await published()).sum).toEqual(sumOf(made));
  expect(await keysIn(world.ingestion[0])).toContain(ingestionKeys(AGGREGATION, batchId(0)).header);
});
