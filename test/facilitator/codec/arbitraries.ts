import * as fc from 'fast-check';
import type {
  BatchSignature,
  DataSharePacket,
  IngestionHeader,
  InvalidPacket,
  Long,
  SumPart,
  ValidationHeader,
  ValidationPacket,
} from '../../../facilitator/codec/records.ts';

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
// Buffers, because that is what is read, and `toEqual` tells them from other byte arrays.
const bytes = (constraints: fc.IntArrayConstraints = { maxLength: 300 }): fc.Arbitrary<Buffer> =>
  fc.uint8Array(constraints).map((array) => Buffer.from(array));
const digest = bytes({ minLength: 32, maxLength: 32 });
const hammingWeight = fc.option(int);

/** All 64 bits, as a number if it is a safe integer. */
export const long: fc.Arbitrary<Long> = fc.oneof(
  fc.maxSafeInteger(),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)),
);

export const ingestionHeaders: fc.Arbitrary<IngestionHeader> = fc.record({
  batch_uuid: fc.uuid(),
  name: text,
  bins: int,
  epsilon: fc.double(),
  prime: long,
  number_of_servers: int,
  hamming_weight: hammingWeight,
  batch_start_time: long,
  batch_end_time: long,
  packet_file_digest: digest,
});

export const dataSharePackets: fc.Arbitrary<DataSharePacket> = fc.record({
  uuid: fc.uuid(),
  encrypted_payload: bytes(),
  encryption_key_id: fc.option(text),
  r_pit: long,
  version_configuration: fc.option(text),
  device_nonce: fc.option(bytes({ maxLength: 20 })),
});

export const validationHeaders: fc.Arbitrary<ValidationHeader> = fc.record({
  batch_uuid: fc.uuid(),
  name: text,
  bins: int,
  epsilon: fc.double(),
  prime: long,
  number_of_servers: int,
  hamming_weight: hammingWeight,
  packet_file_digest: digest,
});

export const validationPackets: fc.Arbitrary<ValidationPacket> = fc.record({
  uuid: fc.uuid(),
  f_r: long,
  g_r: long,
  h_r: long,
});

export const sumParts: fc.Arbitrary<SumPart> = fc.record({
  batch_uuids: fc.array(fc.uuid(), { maxLength: 8 }),
  name: text,
  bins: int,
  epsilon: fc.double(),
  prime: long,
  number_of_servers: int,
  hamming_weight: hammingWeight,
  sum: fc.array(long, { maxLength: 50 }),
  aggregation_start_time: long,
  aggregation_end_time: long,
  packet_file_digest: digest,
  total_individual_clients: long,
});

export const invalidPackets: fc.Arbitrary<InvalidPacket> = fc.record({ uuid: fc.uuid() });

export const batchSignatures: fc.Arbitrary<BatchSignature> = fc.record({
  batch_header_signature: bytes({ maxLength: 72 }),
  key_identifier: text,
  batch_header: fc.option(bytes()),
  packets: fc.option(bytes()),
});
