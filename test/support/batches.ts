import {
  ingestionKeys,
  sumPartKeys,
  validationKeys,
  type BatchId,
  type ServerIndex,
} from '../../common/domain/batch-path.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readBatch, type SignedBatch } from '../../facilitator/batch/read-batch.ts';
import { writeBatch } from '../../facilitator/batch/write-batch.ts';
import type {
  DataSharePacket,
  IngestionHeader,
  InvalidPacket,
  SumPart,
  ValidationHeader,
  ValidationPacket,
} from '../../facilitator/codec/records.ts';
import {
  dataSharePacket,
  ingestionHeader,
  invalidPacket,
  sumPart,
  validationHeader,
  validationPacket,
} from '../../facilitator/codec/record-types.ts';
import { soleKey } from '../../facilitator/crypto/key-source.ts';
import { P } from '../../facilitator/prio/field.ts';
import { AGGREGATION, ingestorKey, other, serverKeys, WINDOW, type World } from './servers.ts';

export function ingestionHeaderOf(
  batch: BatchId,
  bins: number,
  packetFileDigest: Uint8Array,
  changes: Partial<IngestionHeader> = {},
): IngestionHeader {
  return {
    batch_uuid: batch.id,
    name: AGGREGATION,
    bins,
    epsilon: 0.11,
    prime: P,
    number_of_servers: 2,
    hamming_weight: null,
    batch_start_time: 100,
    batch_end_time: 200,
    packet_file_digest: packetFileDigest,
    ...changes,
  };
}

export async function storeIngestionBatch(
  world: World,
  server: ServerIndex,
  batch: BatchId,
  bins: number,
  packets: readonly DataSharePacket[],
  changes: Partial<IngestionHeader> = {},
): Promise<void> {
  const content = {
    headerType: ingestionHeader,
    header: (digest: Buffer) => ingestionHeaderOf(batch, bins, digest, changes),
    packetType: dataSharePacket,
    packets,
  };
  await writeBatch(world.ingestion[server], ingestionKeys(AGGREGATION, batch), content, ingestorKey);
}

/** Stores a validation batch as server `writer`, where the other one reads it. */
export async function storePeerValidation(
  world: World,
  writer: ServerIndex,
  batch: BatchId,
  bins: number,
  packets: readonly ValidationPacket[],
): Promise<void> {
  const content = {
    headerType: validationHeader,
    header: (digest: Buffer): ValidationHeader => {
      const { batch_start_time: _start, batch_end_time: _end, ...header } = ingestionHeaderOf(batch, bins, digest);
      return header;
    },
    packetType: validationPacket,
    packets,
  };
  const keys = validationKeys(AGGREGATION, batch, writer);
  await writeBatch(world.peerValidation[other(writer)], keys, content, serverKeys[writer]);
}

/** What server `writer` told the other, as the other reads it. */
export function readPeerValidation(
  world: World,
  writer: ServerIndex,
  batch: BatchId,
): Promise<SignedBatch<ValidationHeader, ValidationPacket>> {
  const source = {
    storage: world.peerValidation[other(writer)],
    keys: validationKeys(AGGREGATION, batch, writer),
    headerType: validationHeader,
    packetType: validationPacket,
  };
  return readBatch(source, { keys: soleKey(serverKeys[writer].publicKey) });
}

export function readSumPart(portal: Storage, server: ServerIndex): Promise<SignedBatch<SumPart, InvalidPacket>> {
  const source = {
    storage: portal,
    keys: sumPartKeys('test', AGGREGATION, WINDOW, server),
    headerType: sumPart,
    packetType: invalidPacket,
  };
  return readBatch(source, { keys: soleKey(serverKeys[server].publicKey) });
}

/** Every key of a storage. */
export async function keysIn(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of storage.list()) keys.push(key);
  return keys;
}
