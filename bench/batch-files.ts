import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ingestionKeys, validationKeys, type BatchId, type BatchKeys } from '../common/domain/batch-path.ts';
import { formatUuidV4 } from '../common/domain/uuid.ts';
import type { DataSharePacket, ValidationPacket } from '../facilitator/codec/records.ts';
import {
  batchSignature,
  dataSharePacket,
  ingestionHeader,
  validationHeader,
  validationPacket,
  type RecordType,
} from '../facilitator/codec/record-types.ts';
import { readRecords } from '../facilitator/codec/read.ts';
import { encodeFile } from '../facilitator/codec/write.ts';
import { parseSigningKey } from '../facilitator/crypto/keys.ts';
import { signHeader } from '../facilitator/crypto/signature.ts';
import { P } from '../facilitator/prio/field.ts';
import type { SigningPair } from '../deploy/local/deployment-keys.ts';
import { isFirst, type ServerName } from '../deploy/local/places.ts';
import type { Contribution } from './contributions.ts';

export const AGGREGATION = 'bench';

/** A batch as both servers and the ingestor know it. */
export interface BenchBatch {
  readonly id: BatchId;
  readonly bins: number;
  /** 16 random bytes for each packet. */
  readonly uuids: Uint8Array;
}

export const packetsIn = ({ uuids }: BenchBatch): number => uuids.length / 16;
const uuidAt = ({ uuids }: BenchBatch, i: number): string => formatUuidV4(uuids.subarray(16 * i, 16 * i + 16));

/** Every batch is signed under the name of whose it is. */
export type Signer = ServerName | 'ingestor';

/** Writes what the ingestion server would: `contributions` in turn, again and again, under fresh UUIDs. */
export async function writeIngestion(
  directory: string,
  batch: BenchBatch,
  server: ServerName,
  contributions: readonly Contribution[],
  key: SigningPair,
): Promise<void> {
  function* packets(): Generator<DataSharePacket> {
    for (let i = 0; i < packetsIn(batch); i++) {
      const { payloads, rPit } = contributions[i % contributions.length]!; // within the list
      yield {
        uuid: uuidAt(batch, i),
        encrypted_payload: payloads[server],
        encryption_key_id: null,
        r_pit: rPit,
        version_configuration: null,
        device_nonce: null,
      };
    }
  }
  const keys = ingestionKeys(AGGREGATION, batch.id);
  const packetFile = encodeFile(dataSharePacket, packets(), keys.packets);
  const header = { ...headerOf(batch, packetFile), batch_start_time: 0, batch_end_time: 1 };
  await writeSigned(directory, keys, { packetFile, headerType: ingestionHeader, header }, 'ingestor', key);
}

/** Writes what server `writer` would tell the other about a batch of the contributions that `messages` are about. */
export async function writeValidation(
  directory: string,
  batch: BenchBatch,
  writer: ServerName,
  messages: readonly ValidationPacket[],
  key: SigningPair,
): Promise<void> {
  function* packets(): Generator<ValidationPacket> {
    for (let i = 0; i < packetsIn(batch); i++) {
      yield { ...messages[i % messages.length]!, uuid: uuidAt(batch, i) }; // within the list
    }
  }
  const keys = validationKeysOf(batch, writer);
  const packetFile = encodeFile(validationPacket, packets(), keys.packets);
  const content = { packetFile, headerType: validationHeader, header: headerOf(batch, packetFile) };
  await writeSigned(directory, keys, content, writer, key);
}

/** What server `writer` told about a batch. */
export async function readValidation(
  directory: string,
  batch: BenchBatch,
  writer: ServerName,
): Promise<ValidationPacket[]> {
  return readValidationFile(join(directory, validationKeysOf(batch, writer).packets));
}

export async function readValidationFile(path: string): Promise<ValidationPacket[]> {
  return [...readRecords(validationPacket, await readFile(path))];
}

export const validationKeysOf = (batch: BenchBatch, writer: ServerName): BatchKeys =>
  validationKeys(AGGREGATION, batch.id, isFirst(writer) ? 0 : 1);

interface HeaderFields {
  readonly batch_uuid: string;
  readonly name: string;
  readonly bins: number;
  readonly epsilon: number;
  readonly prime: number;
  readonly number_of_servers: number;
  readonly hamming_weight: null;
  readonly packet_file_digest: Uint8Array;
}

function headerOf({ id, bins }: BenchBatch, packetFile: Uint8Array): HeaderFields {
  return {
    batch_uuid: id.id,
    name: AGGREGATION,
    bins,
    epsilon: 0.11,
    prime: P,
    number_of_servers: 2,
    hamming_weight: null,
    packet_file_digest: createHash('sha256').update(packetFile).digest(),
  };
}

async function writeSigned<H>(
  directory: string,
  keys: BatchKeys,
  { packetFile, headerType, header }: { packetFile: Uint8Array; headerType: RecordType<H>; header: H },
  signer: Signer,
  { pkcs8 }: SigningPair,
): Promise<void> {
  const headerFile = encodeFile(headerType, [header], keys.header);
  const signature = encodeFile(
    batchSignature,
    [
      {
        batch_header_signature: signHeader(headerFile, parseSigningKey(pkcs8, signer, signer)),
        key_identifier: signer,
        batch_header: null,
        packets: null,
      },
    ],
    keys.signature,
  );
  await mkdir(dirname(join(directory, keys.packets)), { recursive: true });
  await writeFile(join(directory, keys.packets), packetFile);
  await writeFile(join(directory, keys.header), headerFile);
  await writeFile(join(directory, keys.signature), signature);
}
