import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { ingestionKeys, validationKeys } from '../../common/domain/batch-path.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import type { DataSharePacket, IngestionHeader } from '../../facilitator/codec/records.ts';
import { batchSignature } from '../../facilitator/codec/record-types.ts';
import { readSingleRecord } from '../../facilitator/codec/read.ts';
import { intakeBatch, type IntakeSetup } from '../../facilitator/intake.ts';
import { encryptPayload } from '../../facilitator/crypto/ecies.ts';
import { fixedKeys } from '../../facilitator/crypto/key-source.ts';
import { P } from '../../facilitator/prio/field.ts';
import { readOnlyStorage } from '../support/read-only-storage.ts';
import { keysIn, readPeerValidation, storeIngestionBatch } from '../support/batches.ts';
import { BINS, batchId, contributions, honest, packetsFor, packetUuid } from '../support/honest-batch.ts';
import { interleaved, Schedule } from '../support/interleaved-storage.ts';
import { memoryLogger } from '../support/memory-log.ts';
import { seededRandom } from '../support/prio.ts';
import {
  AGGREGATION,
  intakeSetup,
  newSigningKey,
  newWorld,
  packetKeys,
  serverKeys,
  type World,
} from '../support/servers.ts';

const batch = batchId(0);
const task = { aggregationId: AGGREGATION, batch };
const packets = (server: 0 | 1 = 0): DataSharePacket[] => packetsFor(server, 0, contributions(0, honest(3)));
const sealed = (plain: Uint8Array): Buffer => encryptPayload(packetKeys[0][0].point, plain, seededRandom('sealed'));

async function ingested(
  content: readonly DataSharePacket[],
  changes: Partial<IngestionHeader> = {},
  bins = BINS,
): Promise<World> {
  const world = newWorld();
  await storeIngestionBatch(world, 0, batch, bins, content, changes);
  return world;
}

const middle = (change: Partial<DataSharePacket>): DataSharePacket[] =>
  packets().map((packet, i) => (i === 1 ? { ...packet, ...change } : packet));

describe('intake refuses the whole batch, and writes nothing', () => {
  const share = new Uint8Array(4 * 29);
  it.each<[string, string, readonly DataSharePacket[], Partial<IngestionHeader>?, number?]>([
    ['no packets', 'E_BATCH_EMPTY', []],
    ['an undecryptable packet', 'E_PACKET_UNDECRYPTABLE', middle({ encrypted_payload: Buffer.alloc(200, 4) })],
    ['a short share', 'E_PACKET_MALFORMED', middle({ encrypted_payload: sealed(share.subarray(4)) })],
    ['a share of more bins', 'E_PACKET_MALFORMED', middle({ encrypted_payload: sealed(new Uint8Array(4 * 30)) })],
    [
      'an element that is p',
      'E_PACKET_MALFORMED',
      middle({
        encrypted_payload: sealed(new Uint8Array(Uint32Array.of(P, ...Array.from({ length: 28 }, () => 0)).buffer)),
      }),
    ],
    ['a negative r_pit', 'E_R_PIT', middle({ r_pit: -1 })],
    ['an r_pit of 2^32', 'E_R_PIT', middle({ r_pit: 2 ** 32 })],
    ['an r_pit of 2^63 - 1', 'E_R_PIT', middle({ r_pit: 2n ** 63n - 1n })],
    [
      'a malformed packet at a root of unity',
      'E_PACKET_MALFORMED',
      middle({ r_pit: 1, encrypted_payload: sealed(share.subarray(4)) }),
    ],
    ['0 bins', 'E_BINS', packets(), {}, 0],
    ['-3 bins', 'E_BINS', packets(), {}, -3],
    ['524288 bins', 'E_BINS', packets(), {}, 524_288],
    ['2^31 - 1 bins', 'E_BINS', packets(), {}, 2 ** 31 - 1],
    ['another aggregation’s name', 'E_HEADER_CONTRADICTS_TASK', packets(), { name: 'other' }],
    ['another batch’s UUID', 'E_HEADER_CONTRADICTS_TASK', packets(), { batch_uuid: batchId(1).id }],
    ['a digest of another file', 'E_DIGEST_MISMATCH', packets(), { packet_file_digest: Buffer.alloc(32) }],
  ])('with %s: %s', async (_, code, content, changes = {}, bins = BINS) => {
    const world = await ingested(content, changes, bins);
    await expect(intakeBatch(task, intakeSetup(world, 0))).rejects.toMatchObject({ code, fate: 'reject' });
    expect(await keysIn(world.peerValidation[1])).toEqual([]);
    expect(await keysIn(world.ownValidation[0])).toEqual([]);
  });

  it('from a signer it does not know, even if malformed batches are permitted', async () => {
    const world = await ingested(packets());
    const setup = intakeSetup(world, 0, { ingestorKeys: fixedKeys(new Map()), permitMalformed: true });
    await expect(intakeBatch(task, setup)).rejects.toMatchObject({ code: 'E_SIGNING_KEY_UNKNOWN', fate: 'reject' });
  });

  it('with a wrong signature, unless malformed batches are permitted', async () => {
    const world = await ingested(packets());
    const wrong = newSigningKey('ingestor-key');
    const ingestorKeys = fixedKeys(new Map([[wrong.identifier, wrong.publicKey]]));
    await expect(intakeBatch(task, intakeSetup(world, 0, { ingestorKeys }))).rejects.toMatchObject({
      code: 'E_SIGNATURE_INVALID',
    });
    const permitted = intakeSetup(world, 0, { ingestorKeys, permitMalformed: true });
    expect(await intakeBatch(task, permitted)).toMatchObject({ packets: 3 });
  });
});

describe('a packet file that is missing', () => {
  it.each([false, true])('is an empty one if the digest says so (malformed permitted: %s)', async (permitMalformed) => {
    const world = await ingested([]);
    await world.ingestion[0].delete(ingestionKeys(AGGREGATION, batch).packets);
    await expect(intakeBatch(task, intakeSetup(world, 0, { permitMalformed }))).rejects.toMatchObject({
      code: 'E_BATCH_EMPTY',
    });
  });

  it.each([false, true])('is otherwise awaited (malformed permitted: %s)', async (permitMalformed) => {
    const world = await ingested(packets());
    await world.ingestion[0].delete(ingestionKeys(AGGREGATION, batch).packets);
    await expect(intakeBatch(task, intakeSetup(world, 0, { permitMalformed }))).rejects.toMatchObject({
      code: 'E_OBJECT_MISSING',
      fate: 'retry',
    });
  });
});

describe('what the peer is told', () => {
  it('is one message a packet, in packet order, with the parameters of the ingestion header', async () => {
    const world = await ingested(packets(), { hamming_weight: 3, epsilon: 0.25, prime: 17, number_of_servers: 9 });
    await intakeBatch(task, intakeSetup(world, 0));
    const told = await readPeerValidation(world, 0, batch);
    expect([...told.packets()].map(({ uuid }) => uuid)).toEqual([0, 1, 2].map((i) => packetUuid(0, i)));
    expect(told.header).toMatchObject({
      hamming_weight: 3,
      epsilon: 0.25,
      prime: 17,
      number_of_servers: 9,
      bins: BINS,
    });
  });

  it('about a UUID that comes again is what was said about its first packet', async () => {
    const [a, b, c] = packets() as [DataSharePacket, DataSharePacket, DataSharePacket];
    const world = await ingested([a, b, { ...c, uuid: a.uuid }, a]);
    await intakeBatch(task, intakeSetup(world, 0));
    const told = [...(await readPeerValidation(world, 0, batch)).packets()];
    expect(told.map(({ uuid }) => uuid)).toEqual([a.uuid, b.uuid, a.uuid, a.uuid]);
    expect(told[2]).toEqual(told[0]);
    expect(told[3]).toEqual(told[0]);
  });

  it.each([
    ['first', [1, 17], 0],
    ['later', [17, 1], 2],
  ])('about a UUID whose %s packet is at a root of unity is said of none or all', async (_, [r0, r1], messages) => {
    const [a, b] = packets() as [DataSharePacket, DataSharePacket];
    const world = await ingested([
      { ...a, r_pit: r0! },
      { ...b, uuid: a.uuid, r_pit: r1! },
    ]);
    const outcome = await intakeBatch(task, intakeSetup(world, 0));
    expect(outcome).toEqual({ packets: 2, withoutMessage: 2 - messages, isWritten: true });
    expect((await readPeerValidation(world, 0, batch)).packetCount).toBe(messages);
  });

  it('may be nothing at all, in an empty file', async () => {
    const world = await ingested(packets().map((packet) => ({ ...packet, r_pit: 1 })));
    await intakeBatch(task, intakeSetup(world, 0));
    const keys = validationKeys(AGGREGATION, batch, 0);
    expect(await readObject(world.peerValidation[1], keys.packets)).toHaveLength(0);
    expect((await readPeerValidation(world, 0, batch)).packetCount).toBe(0);
  });

  it('is one object where that is wanted, and ours are three', async () => {
    const world = await ingested(packets());
    await intakeBatch(task, intakeSetup(world, 0, { singleObject: true }));
    const keys = validationKeys(AGGREGATION, batch, 0);
    expect(await keysIn(world.peerValidation[1])).toEqual([keys.signature]);
    expect((await readPeerValidation(world, 0, batch)).packetCount).toBe(3);
    expect(await keysIn(world.ownValidation[0])).toHaveLength(4);
    const own = readSingleRecord(batchSignature, await readObject(world.ownValidation[0], keys.signature));
    expect(own.record).toMatchObject({ batch_header: null, packets: null, key_identifier: 'pha-key' });
  });

  it('is the same whether or not we keep a record of it', async () => {
    const [a, b] = [await ingested(packets()), await ingested(packets())];
    await intakeBatch(task, intakeSetup(a, 0));
    await intakeBatch(task, intakeSetup(b, 0, { ownOutput: undefined }));
    const keys = validationKeys(AGGREGATION, batch, 0);
    for (const key of [keys.header, keys.packets]) {
      expect(await readObject(b.peerValidation[1], key)).toEqual(await readObject(a.peerValidation[1], key));
    }
    expect(await keysIn(b.ownValidation[0])).toEqual([]);
  });

  it('is nothing if the task is aborted', async () => {
    const world = await ingested(packets());
    const signal = AbortSignal.abort(new Error('lease lost'));
    await expect(intakeBatch(task, intakeSetup(world, 0), signal)).rejects.toThrow('lease lost');
    expect(await keysIn(world.peerValidation[1])).toEqual([]);
  });
});

describe('a batch that was taken in before', () => {
  const keys = validationKeys(AGGREGATION, batch, 0);
  /** Everything in a storage but the value of signatures. */
  async function objects(storage: MemoryStorage): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const key of await keysIn(storage)) {
      found.set(key, key.endsWith('.sig') ? 'a signature' : (await readObject(storage, key)).toString('hex'));
    }
    return found;
  }

  it.each([false, true])('is not written again if our own record says so (single object: %s)', async (singleObject) => {
    const world = await ingested(packets());
    expect(await intakeBatch(task, intakeSetup(world, 0, { singleObject }))).toMatchObject({ isWritten: true });
    const peerOutput = readOnlyStorage(world.peerValidation[1]);
    const ownOutput = readOnlyStorage(world.ownValidation[0]);
    const { log, lines } = memoryLogger();
    const again = await intakeBatch(task, intakeSetup(world, 0, { peerOutput, ownOutput, singleObject, log }));
    expect(again).toEqual({ packets: 3, withoutMessage: 0, isWritten: false });
    expect(lines).toMatchObject([{ message: 'batch was taken in before, nothing is written', packets: 3 }]);
  });

  it.each<[string, (world: World) => Promise<Partial<IntakeSetup>>]>([
    ['we keep no record', async () => ({ ownOutput: undefined })],
    ['our record has no .sig', async ({ ownValidation: [own] }) => (await own.delete(keys.signature), {})],
    ['our signing key has a new name', async () => ({ signingKey: { ...serverKeys[0], identifier: 'new name' } })],
  ])('is written again, with the same bytes, if %s', async (_, change) => {
    const world = await ingested(packets());
    await intakeBatch(task, intakeSetup(world, 0));
    const once = await Promise.all([world.peerValidation[1], world.ownValidation[0]].map(objects));
    const setup = intakeSetup(world, 0, await change(world));
    for (const key of await keysIn(world.peerValidation[1])) await world.peerValidation[1].delete(key);
    expect(await intakeBatch(task, setup)).toMatchObject({ isWritten: true });
    expect(await Promise.all([world.peerValidation[1], world.ownValidation[0]].map(objects))).toEqual(once);
  });

  it('by three executions at once, of which some are killed, comes out as by one', async () => {
    const world = await ingested(packets());
    await intakeBatch(task, intakeSetup(world, 0));
    const once = await Promise.all([world.peerValidation[1], world.ownValidation[0]].map(objects));
    const turns = fc.array(fc.nat({ max: 2 }), { minLength: 20, maxLength: 60 });
    const lifetimes = fc.tuple(fc.nat({ max: 8 }), fc.nat({ max: 16 }), fc.constant(Infinity));
    await fc.assert(
      fc.asyncProperty(turns, lifetimes, async (order, lives) => {
        const [peer, own] = [new MemoryStorage('peer'), new MemoryStorage('own')];
        const schedule = new Schedule(order);
        const ends = await schedule.run(
          lives.map((life) => (turn) => {
            let left = life;
            const live = (): void => {
              if (left-- <= 0) throw new Error('killed');
            };
            const peerOutput = interleaved(peer, schedule, turn, live);
            const ownOutput = interleaved(own, schedule, turn, live);
            return intakeBatch(task, intakeSetup(world, 0, { peerOutput, ownOutput }));
          }),
        );
        expect(ends[2]).toMatchObject({ status: 'fulfilled' });
        expect(await Promise.all([peer, own].map(objects))).toEqual(once);
      }),
      { numRuns: 60 },
    );
  });
});
