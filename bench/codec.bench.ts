import { bench, describe } from 'vitest';
import { readRecords } from '../facilitator/codec/read.ts';
import { dataSharePacket, validationPacket, type RecordType } from '../facilitator/codec/record-types.ts';
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
