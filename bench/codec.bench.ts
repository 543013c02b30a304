import { bench, describe } from 'vitest';
import { openContainer } from '../facilitator/codec/container-stream.ts';
import { decodeDataShares } from '../facilitator/codec/data-share-block.ts';
import { readRecords } from '../facilitator/codec/read.ts';
import type { BlockFormat, RecordBlock } from '../facilitator/codec/record-block.ts';
import { dataSharePacket, validationPacket, type RecordType } from '../facilitator/codec/record-types.ts';
import { decodeValidations } from '../facilitator/codec/validation-block.ts';
import { encodeValidations } from '../facilitator/codec/validation-writer.ts';
import { encodeFile } from '../facilitator/codec/write.ts';

const RECORDS = 1000;
const uuid = (i: number): string => `0d1f9d3c-4e5a-4b6c-8d7e-${String(i).padStart(12, '0')}`;

const packets = Array.from({ length: RECORDS }, (_, i) => ({
  uuid: uuid(i),
  encrypted_payload: Buffer.alloc(300, i),
  encryption_key_id: 'key',
  r_pit: 998314904,
  version_configuration: 'config-1',
  device_nonce: null,
}));
const messages = Array.from({ length: RECORDS }, (_, i) => ({ uuid: uuid(i), f_r: i, g_r: 3_000_000_000, h_r: 7 }));

/** What storages give. */
const CHUNK_BYTES = 64 * 1024;

async function* inChunks(file: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += CHUNK_BYTES) yield file.subarray(at, at + CHUNK_BYTES);
}

async function framed(file: Buffer): Promise<{ format: BlockFormat; blocks: RecordBlock[] }> {
  const opened = await openContainer(inChunks(file));
  if (!opened) throw new RangeError('an empty file');
  const blocks: RecordBlock[] = [];
  for await (const block of opened.blocks) blocks.push(block);
  return { format: opened.header, blocks };
}

function codecBenches<T>(type: RecordType<T>, records: readonly T[]): void {
  const file = encodeFile(type, records, 'bench');
  bench(`write ${RECORDS} ${type.name}`, () => {
    encodeFile(type, records, 'bench');
  });
  bench(`read ${RECORDS} ${type.name}`, () => {
    for (const _ of readRecords(type, file));
  });
}

describe('Avro container files', () => {
  codecBenches(dataSharePacket, packets);
  codecBenches(validationPacket, messages);
});

describe('Avro container files, block by block', async () => {
  const packetFile = encodeFile(dataSharePacket, packets, 'bench');
  const dataShares = await framed(packetFile);
  const validations = await framed(encodeFile(validationPacket, messages, 'bench'));
  const tables = validations.blocks.map((block) => decodeValidations(validations.format, block));

  bench(`frame ${RECORDS} PrioDataSharePacket`, async () => {
    await framed(packetFile);
  });
  bench(`decode ${RECORDS} PrioDataSharePacket`, () => {
    for (const block of dataShares.blocks) decodeDataShares(dataShares.format, block);
  });
  bench(`decode ${RECORDS} PrioValidityPacket`, () => {
    for (const block of validations.blocks) decodeValidations(validations.format, block);
  });
  bench(`write ${RECORDS} PrioValidityPacket`, () => {
    for (const _ of encodeValidations(tables, 'bench'));
  });
});
