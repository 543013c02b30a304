import { describe, expect, it } from 'vitest';
import {
  batchSignature,
  dataSharePacket,
  ingestionHeader,
  invalidPacket,
  recordTypes,
  sumPart,
  validationHeader,
  validationPacket,
} from '../../../facilitator/codec/record-types.ts';

const UUID = '{"type":"string","logicalType":"uuid"}';
const TIME = '{"type":"long","logicalType":"timestamp-millis"}';

/** Name, type and default of every field, as docs/protocol.md, "Avro" lists them. */
const TABLE = [
  {
    type: ingestionHeader,
    name: 'PrioIngestionHeader',
    fields: [
      `{"name":"batch_uuid","type":${UUID}}`,
      '{"name":"name","type":"string"}',
      '{"name":"bins","type":"int"}',
      '{"name":"epsilon","type":"double"}',
      '{"name":"prime","type":"long","default":4293918721}',
      '{"name":"number_of_servers","type":"int","default":2}',
      '{"name":"hamming_weight","type":["int","null"]}',
      `{"name":"batch_start_time","type":${TIME}}`,
      `{"name":"batch_end_time","type":${TIME}}`,
      '{"name":"packet_file_digest","type":"bytes"}',
    ],
  },
  {
    type: dataSharePacket,
    name: 'PrioDataSharePacket',
    fields: [
      `{"name":"uuid","type":${UUID}}`,
      '{"name":"encrypted_payload","type":"bytes"}',
      '{"name":"encryption_key_id","type":["null","string"]}',
      '{"name":"r_pit","type":"long"}',
      '{"name":"version_configuration","type":["null","string"]}',
      '{"name":"device_nonce","type":["null","bytes"]}',
    ],
  },
  {
    type: validationHeader,
    name: 'PrioValidityHeader',
    fields: [
      `{"name":"batch_uuid","type":${UUID}}`,
      '{"name":"name","type":"string"}',
      '{"name":"bins","type":"int"}',
      '{"name":"epsilon","type":"double"}',
      '{"name":"prime","type":"long","default":4293918721}',
      '{"name":"number_of_servers","type":"int","default":2}',
      '{"name":"hamming_weight","type":["int","null"]}',
      '{"name":"packet_file_digest","type":"bytes"}',
    ],
  },
  {
    type: validationPacket,
    name: 'PrioValidityPacket',
    fields: [
      `{"name":"uuid","type":${UUID}}`,
      '{"name":"f_r","type":"long"}',
      '{"name":"g_r","type":"long"}',
      '{"name":"h_r","type":"long"}',
    ],
  },
  {
    type: sumPart,
    name: 'PrioSumPart',
    fields: [
      `{"name":"batch_uuids","type":{"type":"array","items":${UUID}}}`,
      '{"name":"name","type":"string"}',
      '{"name":"bins","type":"int"}',
      '{"name":"epsilon","type":"double"}',
      '{"name":"prime","type":"long"}',
      '{"name":"number_of_servers","type":"int"}',
      '{"name":"hamming_weight","type":["int","null"]}',
      '{"name":"sum","type":{"type":"array","items":"long"}}',
      `{"name":"aggregation_start_time","type":${TIME}}`,
      `{"name":"aggregation_end_time","type":${TIME}}`,
      '{"name":"packet_file_digest","type":"bytes"}',
      '{"name":"total_individual_clients","type":"long"}',
    ],
  },
  { type: invalidPacket, name: 'PrioInvalidPacket', fields: [`{"name":"uuid","type":${UUID}}`] },
  {
    type: batchSignature,
    name: 'PrioBatchSignature',
    fields: [
      '{"name":"batch_header_signature","type":"bytes"}',
      '{"name":"key_identifier","type":"string"}',
      '{"name":"batch_header","type":["null","bytes"],"default":null}',
      '{"name":"packets","type":["null","bytes"],"default":null}',
    ],
  },
];

describe('the record types', () => {
  it.each(TABLE)('$name has the schema of the specification', ({ type, name, fields }) => {
    expect(type.schemaText).toBe(
      `{"type":"record","namespace":"org.abetterinternet.prio.v1","name":"${name}","fields":[${fields.join(',')}]}`,
    );
  });

  it('are seven', () => {
    expect(recordTypes).toEqual(TABLE.map(({ type }) => type));
  });
});
