import type {
  BatchSignature,
  DataSharePacket,
  IngestionHeader,
  InvalidPacket,
  SumPart,
  ValidationHeader,
  ValidationPacket,
} from './records.ts';
import * as shape from './shape.ts';
import type { Shape } from './shape.ts';

const NAMESPACE = 'org.abetterinternet.prio.v1';

/** The shape of every field of `T`, in the order in which the fields are written. */
export type Shapes<T> = { readonly [K in keyof T]-?: Shape<T[K]> };

export interface Field {
  readonly name: string;
  readonly shape: Shape<unknown>;
}

/** One of the seven records of docs/protocol.md, "Avro". */
export interface RecordType<T> {
  /** Without the namespace. */
  readonly name: string;
  readonly shapes: Shapes<T>;
  /** `shapes` as a list. */
  readonly fields: readonly Field[];
  /** The Avro schema, character by character as we write it: compact, `type,namespace,name,fields`. */
  readonly schemaText: string;
}

function recordType<T>(name: string, shapes: Shapes<T>): RecordType<T> {
  const fields = Object.entries<Shape<unknown>>(shapes).map(([name, shape]) => ({ name, shape }));
  const schema = {
    type: 'record',
    namespace: NAMESPACE,
    name,
    // JSON.stringify leaves out what is undefined, and keeps null, which is a default of its own.
    fields: fields.map(({ name, shape }) => ({ name, type: shape.schema, default: shape.default })),
  };
  return { name, shapes, fields, schemaText: JSON.stringify(schema) };
}

/** 2^32 - 2^20 + 1, the modulus of the field. */
const PRIME = 4_293_918_721;

// hamming_weight is int-first, every other union null-first.

export const ingestionHeader: RecordType<IngestionHeader> = recordType('PrioIngestionHeader', {
  batch_uuid: shape.uuid,
  name: shape.string,
  bins: shape.int,
  epsilon: shape.double,
  prime: shape.withDefault(shape.long, PRIME),
  number_of_servers: shape.withDefault(shape.int, 2),
  hamming_weight: shape.orNull(shape.int),
  batch_start_time: shape.timestamp,
  batch_end_time: shape.timestamp,
  packet_file_digest: shape.bytes,
});

export const dataSharePacket: RecordType<DataSharePacket> = recordType('PrioDataSharePacket', {
  uuid: shape.uuid,
  encrypted_payload: shape.bytes,
  encryption_key_id: shape.nullOr(shape.string),
  r_pit: shape.long,
  version_configuration: shape.nullOr(shape.string),
  device_nonce: shape.nullOr(shape.bytes),
});

export const validationHeader: RecordType<ValidationHeader> = recordType('PrioValidityHeader', {
  batch_uuid: shape.uuid,
  name: shape.string,
  bins: shape.int,
  epsilon: shape.double,
  prime: shape.withDefault(shape.long, PRIME),
  number_of_servers: shape.withDefault(shape.int, 2),
  hamming_weight: shape.orNull(shape.int),
  packet_file_digest: shape.bytes,
});

export const validationPacket: RecordType<ValidationPacket> = recordType('PrioValidityPacket', {
  uuid: shape.uuid,
  f_r: shape.long,
  g_r: shape.long,
  h_r: shape.long,
});

export const sumPart: RecordType<SumPart> = recordType('PrioSumPart', {
  batch_uuids: shape.listOf(shape.uuid),
  name: shape.string,
  bins: shape.int,
  epsilon: shape.double,
  prime: shape.long,
  number_of_servers: shape.int,
  hamming_weight: shape.orNull(shape.int),
  sum: shape.listOf(shape.long),
  aggregation_start_time: shape.timestamp,
  aggregation_end_time: shape.timestamp,
  packet_file_digest: shape.bytes,
  total_individual_clients: shape.long,
});

export const invalidPacket: RecordType<InvalidPacket> = recordType('PrioInvalidPacket', { uuid: shape.uuid });

export const batchSignature: RecordType<BatchSignature> = recordType('PrioBatchSignature', {
  batch_header_signature: shape.bytes,
  key_identifier: shape.string,
  batch_header: shape.withDefault(shape.nullOr(shape.bytes), null),
  packets: shape.withDefault(shape.nullOr(shape.bytes), null),
});

/** All seven. */
export const recordTypes: readonly RecordType<unknown>[] = [
  ingestionHeader,
  dataSharePacket,
  validationHeader,
  validationPacket,
  sumPart,
  invalidPacket,
  batchSignature,
];
