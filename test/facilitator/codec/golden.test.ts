import { describe, expect, it } from 'vitest';
import { readRecords, readSingleRecord } from '../../../facilitator/codec/read.ts';
import { batchSignature, invalidPacket } from '../../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../../facilitator/codec/write.ts';

/*
 * Files put together by hand from the Avro specification, "Object Container Files", and docs/protocol.md, "Avro".
 * Each line is one item; a length or count is twice its value, in varint form.
 */
const fromHex = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('').replaceAll(' ', ''), 'hex');
const ascii = (text: string): string => Buffer.from(text, 'ascii').toString('hex');

const UUID = '52bb1827-7fa3-4aad-83c0-337c4e225b9c';

const INVALID_SCHEMA =
  '{"type":"record","namespace":"org.abetterinternet.prio.v1","name":"PrioInvalidPacket",' +
  '"fields":[{"name":"uuid","type":{"type":"string","logicalType":"uuid"}}]}';

/** The beginning of a file of invalid packets. */
const invalidHeader = (codecLength: string, codec: string, sync: string): readonly string[] => [
  '4f 62 6a 01', // "Obj", 1
  '04', // two entries of metadata
  `16 ${ascii('avro.schema')}`, // 11 characters
  `be 02 ${ascii(INVALID_SCHEMA)}`, // 159 characters: 318 = 0x3e + 2 * 128
  `14 ${ascii('avro.codec')}`, // 10 characters
  `${codecLength} ${ascii(codec)}`,
  '00', // no more entries
  sync,
];

/** echo -n a/b | sha256sum, its first 16 bytes. */
const SYNC = 'c14cddc033f64b9dea80ea675cf280a0';

const RECORD = `48 ${ascii(UUID)}`; // 36 characters

describe('golden files', () => {
  it('codec null: what we write, and read', () => {
    const file = fromHex(
      ...invalidHeader('08', 'null', SYNC),
      '02', // one record
      '4a', // 37 bytes
      RECORD,
      SYNC,
    );
    expect(encodeFile(invalidPacket, [{ uuid: UUID }], 'a/b')).toEqual(file);
    expect([...readRecords(invalidPacket, file)]).toEqual([{ uuid: UUID }]);
  });

  it('codec deflate: read', () => {
    const file = fromHex(
      ...invalidHeader('0e', 'deflate', SYNC),
      '02', // one record
      '54', // 42 bytes
      '01 2500 daff', // RFC 1951, 3.2.4: last block, stored, 37 bytes, and the complement of 37
      RECORD,
      SYNC,
    );
    expect([...readRecords(invalidPacket, file)]).toEqual([{ uuid: UUID }]);
  });

  it('codec snappy: read', () => {
    const file = fromHex(
      ...invalidHeader('0c', 'snappy', SYNC),
      '02', // one record
      '56', // 43 bytes
      '25', // 37 bytes uncompressed
      '90', // a literal of 37 bytes: (37 - 1) << 2
      RECORD,
      '7236b16f', // CRC-32 of the record, big-endian
      SYNC,
    );
    expect([...readRecords(invalidPacket, file)]).toEqual([{ uuid: UUID }]);
  });

  it('the older signature, of two fields: read', () => {
    const schema =
      '{"type":"record","name":"PrioBatchSignature","namespace":"org.abetterinternet.prio.v1",' +
      '"fields":[{"name":"batch_header_signature","type":"bytes"},{"name":"key_identifier","type":"string"}]}';
    const sync = '00112233445566778899aabbccddeeff';
    const file = fromHex(
      '4f 62 6a 01', // "Obj", 1
      '02', // one entry of metadata; that no codec is stated means null
      `16 ${ascii('avro.schema')}`, // 11 characters
      `fa 02 ${ascii(schema)}`, // 189 characters: 378 = 0x7a + 2 * 128
      '00', // no more entries
      sync,
      '02', // one record
      '14', // 10 bytes
      '06 010203', // signature of 3 bytes
      `0a ${ascii('key-1')}`, // 5 characters
      sync,
    );
    expect(readSingleRecord(batchSignature, file).record).toEqual({
      batch_header_signature: Buffer.from([1, 2, 3]),
      key_identifier: 'key-1',
      batch_header: null,
      packets: null,
    });
  });
});
