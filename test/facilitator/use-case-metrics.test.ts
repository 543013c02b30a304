import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { aggregate } from '../../facilitator/aggregate.ts';
import { intakeBatch } from '../../facilitator/intake.ts';
import { keysIn, storeIngestionBatch } from '../support/batches.ts';
import { BINS, batchId, contributions, honest, ingest, packetsFor, takeInAtBoth } from '../support/honest-batch.ts';
import { memoryMetrics, type MemoryMetrics } from '../support/memory-metrics.ts';
import {
  AGGREGATION,
  aggregateSetup,
  ingestorKey,
  intakeSetup,
  newWorld,
  packetKeys,
  serverKeys,
  WINDOW,
  type World,
} from '../support/servers.ts';

let world: World;
let portal: MemoryStorage;
let metrics: MemoryMetrics;
beforeEach(() => {
  world = newWorld();
  portal = new MemoryStorage('portal');
  metrics = memoryMetrics();
});

const intake = (n: number, changes: Parameters<typeof intakeSetup>[2] = {}): Promise<unknown> =>
  intakeBatch({ aggregationId: AGGREGATION, batch: batchId(n) }, intakeSetup(world, 0, { metrics, ...changes }));

const sum = (batches: readonly number[], changes: Parameters<typeof aggregateSetup>[3] = {}): Promise<unknown> =>
  aggregate(
    { aggregationId: AGGREGATION, window: WINDOW, batches: batches.map(batchId) },
    aggregateSetup(world, 0, portal, { metrics, ...changes }),
  );

const values = (): unknown => Object.fromEntries(metrics.values);

const [firstKey, secondKey] = packetKeys[0].map(({ decryptor }) => decryptor.keyId);
const ofAggregation = (name: string): string => `facilitator_${name}{aggregation_id="agg"}`;
const finished = (task: string, status: string): string =>
  `facilitator_${task}_tasks_finished{aggregation_id="agg",status="${status}"}`;
const packets = (task: string, result: string): string =>
  `facilitator_packets_total{aggregation_id="agg",result="${result}",task="${task}"}`;
const keyUses = (use: string, keyId: string | undefined): string =>
  `facilitator_key_uses_total{key_id="${keyId}",use="${use}"}`;

/** Changes a byte in the last object of that name. */
async function spoil(storage: MemoryStorage, ending: string): Promise<void> {
  const key = (await keysIn(storage)).find((name) => name.endsWith(ending))!; // there is one
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await storage.get(key)).body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  bytes[bytes.length - 20]! ^= 1;
  await storage.put(key, bytes);
}

describe('an intake', () => {
  it('counts packets, bytes and keys', async () => {
    const made = await ingest(world, 0, ['honest', 'honest', 'second key', 'root of unity']);
    await intake(0);
    const bytes = made.reduce((total, { payloads }) => total + payloads[0].length, 0);
    expect(values()).toEqual({
      [ofAggregation('intake_tasks_started')]: 1,
      [finished('intake', 'success')]: 1,
      [ofAggregation('intake_packets_per_ingestion_batch')]: 4,
      [ofAggregation('intake_ingestion_packets_processed')]: 4,
      [ofAggregation('intake_bytes_processed')]: bytes,
      [packets('intake', 'taken_in')]: 3,
      [packets('intake', 'without_message')]: 1,
      [keyUses('open_packet', firstKey)]: 3,
      [keyUses('open_packet', secondKey)]: 1,
      [keyUses('verify_ingestion', ingestorKey.identifier)]: 1,
      [keyUses('sign', serverKeys[0].identifier)]: 1,
    });
  });

  it('that finds all done counts no packet again', async () => {
    await ingest(world, 0, honest(3));
    await intake(0);
    await intake(0);
    expect(values()).toMatchObject({
      [finished('intake', 'success')]: 2,
      [ofAggregation('intake_ingestion_packets_processed')]: 3,
      [packets('intake', 'taken_in')]: 3,
      [keyUses('open_packet', firstKey)]: 6,
    });
  });

  it('that cannot open one packet counts those of the whole batch', async () => {
    await ingest(world, 0, ['honest', 'second key', 'honest']);
    const decryptors = intakeSetup(world, 0).decryptors.slice(0, 1);
    await expect(intake(0, { decryptors })).rejects.toMatchObject({ code: 'E_PACKET_UNDECRYPTABLE' });
    expect(values()).toEqual({
      [ofAggregation('intake_tasks_started')]: 1,
      [finished('intake', 'rejected')]: 1,
      [packets('intake', 'undecryptable')]: 3,
      [keyUses('verify_ingestion', ingestorKey.identifier)]: 1,
    });
  });

  it.each([
    ['header', '.batch'],
    ['packet_file', '.batch.avro'],
  ])('counts an invalid %s, permitted or not', async (reason, ending) => {
    await ingest(world, 0, honest(2));
    await spoil(world.ingestion[0], ending);
    await intake(0).catch(() => {});
    await intake(0, { permitMalformed: true }).catch(() => {});
    expect(metrics.of('facilitator_invalid_ingestion_validation_batches')).toMatchObject({
      [`facilitator_invalid_ingestion_validation_batches{reason="${reason}"}`]: 2,
    });
  });

  it('of a batch that is not there yet ends with an error', async () => {
    await expect(intake(0)).rejects.toMatchObject({ code: 'E_OBJECT_MISSING' });
    expect(values()).toEqual({ [ofAggregation('intake_tasks_started')]: 1, [finished('intake', 'error')]: 1 });
  });
});

describe('an aggregation', () => {
  it('counts every packet once, by what became of it', async () => {
    const made = contributions(0, ['honest', 'cheating', 'honest', 'honest', 'root of unity']);
    const [a, b, c, d, e] = packetsFor(0, 0, made);
    await storeIngestionBatch(world, 0, batchId(0), BINS, [a!, b!, a!, c!, d!, c!, e!]);
    // The peer does not have c.
    const atPeer = packetsFor(1, 0, made).filter((_, i) => i !== 2);
    await storeIngestionBatch(world, 1, batchId(0), BINS, atPeer);
    await takeInAtBoth(world, 0);
    await sum([0]);
    const [pa, pb, pc, pd, pe] = made.map(({ payloads }) => payloads[0].length);
    expect(values()).toEqual({
      [ofAggregation('aggregate_tasks_started')]: 1,
      [finished('aggregate', 'success')]: 1,
      [ofAggregation('aggregate_packets_per_batch')]: 5,
      [ofAggregation('aggregate_packets_per_sum_part')]: 2,
      [ofAggregation('aggregate_packets_processed')]: 2,
      [ofAggregation('aggregate_bytes_processed')]: 2 * pa! + pb! + 2 * pc! + pd! + pe!,
      [packets('aggregate', 'summed')]: 2,
      [packets('aggregate', 'duplicate')]: 2,
      [packets('aggregate', 'no_peer_share')]: 2,
      [packets('aggregate', 'proof_failed')]: 1,
      [`facilitator_sealed_sums_total{aggregation_id="agg",result="used"}`]: 1,
      [keyUses('open_sealed_sum', firstKey)]: 1,
      [keyUses('verify_ingestion', ingestorKey.identifier)]: 1,
      [keyUses('verify_peer', serverKeys[1].identifier)]: 1,
      [keyUses('sign', serverKeys[0].identifier)]: 1,
    });
  });

  it('adds its batches up, counts one that is left out, and counts nothing twice', async () => {
    await ingest(world, 0, honest(3));
    await ingest(world, 1, honest(2));
    await ingest(world, 2, ['honest', 'second key', 'honest']);
    for (const n of [0, 1, 2]) await takeInAtBoth(world, n);
    const decryptors = intakeSetup(world, 0).decryptors.slice(0, 1);
    for (const _ of [1, 2]) await sum([0, 1, 2], { decryptors, ownInput: undefined });
    expect(values()).toMatchObject({
      [finished('aggregate', 'success')]: 2,
      [ofAggregation('aggregate_packets_per_batch')]: 2,
      [ofAggregation('aggregate_packets_per_sum_part')]: 5,
      [ofAggregation('aggregate_packets_processed')]: 5,
      [packets('aggregate', 'summed')]: 5,
      [packets('aggregate', 'undecryptable')]: 3,
    });
  });

  it('counts no packet before the sum part is published', async () => {
    await ingest(world, 0, honest(3));
    await takeInAtBoth(world, 0);
    await expect(sum([0, 1])).rejects.toMatchObject({ code: 'E_OBJECT_MISSING' });
    expect(metrics.of('facilitator_packets_total')).toEqual({});
    expect(values()).toMatchObject({ [finished('aggregate', 'error')]: 1 });
  });

  it('counts an invalid header of the peer', async () => {
    await ingest(world, 0, honest(2));
    await takeInAtBoth(world, 0);
    await spoil(world.peerValidation[0], '.validity_1');
    await expect(sum([0])).rejects.toMatchObject({ code: 'E_PEER_VALIDATION' });
    expect(metrics.of('facilitator_invalid_peer_validation_batches')).toEqual({
      'facilitator_invalid_peer_validation_batches{reason="header"}': 1,
    });
  });
});
