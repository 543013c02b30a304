import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { sealedSumKey, validationKeys, type BatchKeys } from '../../common/domain/batch-path.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { aggregate } from '../../facilitator/aggregate.ts';
import { validationHeaderOf } from '../../facilitator/batch/header.ts';
import { ownValidationMetadata } from '../../facilitator/batch/own-validation.ts';
import { readBatch, sha256 } from '../../facilitator/batch/read-batch.ts';
import { writeBatch } from '../../facilitator/batch/write-batch.ts';
import type { ValidationPacket } from '../../facilitator/codec/records.ts';
import { validationHeader, validationPacket } from '../../facilitator/codec/record-types.ts';
import { readSingleRecord } from '../../facilitator/codec/read.ts';
import { soleKey } from '../../facilitator/crypto/key-source.ts';
import type { SigningKey } from '../../facilitator/crypto/signature.ts';
import { intakeBatch } from '../../facilitator/intake.ts';
import {
  ingestionHeaderOf,
  keysIn,
  readPeerValidation,
  readSumPart,
  storeIngestionBatch,
  storePeerValidation,
} from '../support/batches.ts';
import { BINS, batchId, honest, ingest, packetsFor, takeInAtBoth } from '../support/honest-batch.ts';
import {
  aggregateSetup,
  AGGREGATION,
  intakeSetup,
  newSigningKey,
  newWorld,
  serverKeys,
  WINDOW,
  type World,
} from '../support/servers.ts';

const SERVER = 1;
const batch = batchId(0);
const keys: BatchKeys = validationKeys(AGGREGATION, batch, SERVER);
const task = { aggregationId: AGGREGATION, window: WINDOW, batches: [batch] };

let world: World;
let portal: MemoryStorage;

/** Two keys in one server's list: three honest packets, one that opens under both, one for the second key. */
beforeEach(async () => {
  world = newWorld();
  portal = new MemoryStorage('portal');
  await ingest(world, 0, [...honest(3), 'opens under two keys', 'second key', 'root of unity']);
  await takeInAtBoth(world, 0);
});

const setup = (changes: Parameters<typeof aggregateSetup>[3] = {}): ReturnType<typeof aggregateSetup> =>
  aggregateSetup(world, SERVER, portal, changes);

async function ownPackets(): Promise<ValidationPacket[]> {
  const source = {
    storage: world.ownValidation[SERVER],
    keys,
    headerType: validationHeader,
    packetType: validationPacket,
  };
  return [...(await readBatch(source, { keys: soleKey(serverKeys[SERVER].publicKey) })).packets()];
}

interface Forgery {
  readonly packets?: (packets: ValidationPacket[]) => ValidationPacket[];
  readonly bins?: number;
  readonly digest?: Buffer;
  readonly metadata?: Record<string, string>;
  readonly key?: SigningKey;
}

/** Replaces our own record by one that says something else, well signed unless `key` says otherwise. */
async function forge({ packets = (same) => same, bins = BINS, digest, metadata, key }: Forgery): Promise<void> {
  const ingested = await readObject(world.ingestion[SERVER], `${keys.header.replace(/validity_1$/, 'batch')}.avro`);
  const content = {
    headerType: validationHeader,
    header: (packetDigest: Buffer) => validationHeaderOf(ingestionHeaderOf(batch, bins, packetDigest), packetDigest),
    headerMetadata: metadata ?? ownValidationMetadata(digest ?? sha256(ingested)),
    packetType: validationPacket,
    packets: packets(await ownPackets()),
  };
  await writeBatch(world.ownValidation[SERVER], keys, content, key ?? serverKeys[SERVER]);
}

describe('our own validation batch', () => {
  it('carries the digest of the ingestion packet file in its header file, and the same packets as the peer’s', async () => {
    const { metadata } = readSingleRecord(validationHeader, await readObject(world.ownValidation[SERVER], keys.header));
    const ingested = await readObject(world.ingestion[SERVER], `${keys.header.replace(/validity_1$/, 'batch')}.avro`);
    expect(metadata.get('prio.ingestion_packet_file_digest')?.toString()).toBe(sha256(ingested).toString('hex'));
    const [own, peers] = [world.ownValidation[SERVER], world.peerValidation[0]];
    expect(await readObject(own, keys.packets)).toEqual(await readObject(peers, keys.packets));
  });

  it('says nothing about a packet at a root of unity', async () => {
    expect(await ownPackets()).toHaveLength(5);
  });

  it('lets aggregate go on where it is sound', async () => {
    await aggregate(task, setup());
    expect((await readSumPart(portal, SERVER)).header.total_individual_clients).toBe(5);
  });

  it('may be absent', async () => {
    await aggregate(task, setup({ ownInput: new MemoryStorage('empty') }));
    expect((await readSumPart(portal, SERVER)).header.total_individual_clients).toBe(5);
  });

  it('counts as absent without its .sig, however wrong the rest', async () => {
    await world.ownValidation[SERVER].delete(keys.signature);
    await world.ownValidation[SERVER].put(keys.header, Buffer.from('half a header'));
    await aggregate(task, setup());
    expect((await readSumPart(portal, SERVER)).header.total_individual_clients).toBe(5);
  });
});

describe('aggregate fails loudly and publishes nothing', () => {
  const alter = (change: (packet: ValidationPacket) => ValidationPacket) => (packets: ValidationPacket[]) =>
    packets.map((packet, i) => (i === 1 ? change(packet) : packet));

  it.each<[string, Forgery]>([
    ['is about another ingestion packet file', { digest: Buffer.alloc(32, 1) }],
    ['does not say which packet file it is about', { metadata: {} }],
    ['has another f_r', { packets: alter((packet) => ({ ...packet, f_r: Number(packet.f_r) ^ 1 })) }],
    ['has another g_r', { packets: alter((packet) => ({ ...packet, g_r: Number(packet.g_r) ^ 1 })) }],
    ['has another h_r', { packets: alter((packet) => ({ ...packet, h_r: -1 })) }],
    ['lacks a message', { packets: (packets) => packets.slice(1) }],
    ['is empty', { packets: () => [] }],
    [
      'has a message about a packet that is not there',
      { packets: (packets) => [...packets, { uuid: batch.id, f_r: 1, g_r: 1, h_r: 1 }] },
    ],
    ['has other bins', { bins: BINS + 1 }],
    ['is signed by somebody else', { key: newSigningKey(serverKeys[SERVER].identifier) }],
  ])('where our own validation batch %s', async (_, forgery) => {
    await forge(forgery);
    await expect(aggregate(task, setup())).rejects.toMatchObject({ code: 'E_OWN_VALIDATION', fate: 'reject' });
    expect(await keysIn(portal)).toEqual([]);
  });

  it.each([
    ['cannot be opened now', () => setup().decryptors.slice(0, 1), { code: 'E_PACKET_UNDECRYPTABLE' }],
    ['opens to something else, as the order of keys changed', () => setup().decryptors.toReversed(), undefined],
  ])('where a packet that we once opened %s, and there is no sealed sum', async (_, decryptors, cause) => {
    await world.ownValidation[SERVER].delete(sealedSumKey(AGGREGATION, batch, SERVER));
    const failure = aggregate(task, setup({ decryptors: decryptors() }));
    await expect(failure).rejects.toMatchObject({ code: 'E_OWN_VALIDATION', ...(cause && { cause }) });
    expect(await keysIn(portal)).toEqual([]);
  });

  it.each([
    ['cannot be opened now', () => setup().decryptors.slice(0, 1)],
    ['opens to something else, as the order of keys changed', () => setup().decryptors.toReversed()],
  ])('not where a packet that we once opened %s, as long as nobody needs to open it', async (_, decryptors) => {
    await aggregate(task, setup());
    const before = await readSumPart(portal, SERVER);
    portal = new MemoryStorage('portal');
    await aggregate(task, setup({ decryptors: decryptors() }));
    expect((await readSumPart(portal, SERVER)).header).toEqual(before.header);
  });

  it.each([
    ['cannot be opened now', () => setup().decryptors.slice(0, 1), { code: 'E_PACKET_UNDECRYPTABLE' }],
    ['opens to something else, as the order of keys changed', () => setup().decryptors.toReversed(), undefined],
  ])('where a packet that is to be taken out of the sealed sum %s', async (_, decryptors, cause) => {
    // The peer says nothing about the packets that depend on the keys.
    const peers = [...(await readPeerValidation(world, 0, batch)).packets()];
    await storePeerValidation(world, 0, batch, BINS, peers.slice(0, 3));
    const failure = aggregate(task, setup({ decryptors: decryptors() }));
    await expect(failure).rejects.toMatchObject({ code: 'E_OWN_VALIDATION', ...(cause && { cause }) });
    expect(await keysIn(portal)).toEqual([]);
  });

  it('where its packets were emptied after intake', async () => {
    await storeIngestionBatch(world, SERVER, batch, BINS, []);
    await expect(aggregate(task, setup())).rejects.toMatchObject({ code: 'E_OWN_VALIDATION' });
  });
});

const intakeAgain = (changes: Parameters<typeof intakeSetup>[2] = {}): Promise<unknown> =>
  intakeBatch({ aggregationId: AGGREGATION, batch }, intakeSetup(world, SERVER, changes));

describe('intake, executed again', () => {
  it('writes the same bytes', async () => {
    const before = await readObject(world.peerValidation[0], keys.packets);
    await intakeAgain();
    expect(await readObject(world.peerValidation[0], keys.packets)).toEqual(before);
  });

  it('does not tell the peer something else than before', async () => {
    const before = await readObject(world.peerValidation[0], keys.packets);
    const made = await ingest(newWorld(), 7, honest(6));
    await storeIngestionBatch(world, SERVER, batch, BINS, packetsFor(SERVER, 0, made));
    await expect(intakeAgain()).rejects.toMatchObject({ code: 'E_OWN_VALIDATION', fate: 'reject' });
    expect(await readObject(world.peerValidation[0], keys.packets)).toEqual(before);
  });
});
