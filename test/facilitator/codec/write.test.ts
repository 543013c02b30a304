import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecords, readSingleRecord } from '../../../facilitator/codec/read.ts';
import {
  batchSignature,
  dataSharePacket,
  ingestionHeader,
  invalidPacket,
  sumPart,
  validationHeader,
  validationPacket,
  type RecordType,
} from '../../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../../facilitator/codec/write.ts';
import * as arbitrary from './arbitraries.ts';

const UUID = '52bb1827-7fa3-4aad-83c0-337c4e225b9c';

/** The blocks of a file of ours: how many records, how many bytes. */
function blocksOf(file: Buffer): { count: number; bytes: number }[] {
  const sync = file.subarray(-16);
  const ends: number[] = [];
  for (let at = file.indexOf(sync); at >= 0; at = file.indexOf(sync, at + 16)) ends.push(at + 16);
  return ends.slice(1).map((end, i) => {
    const block = file.subarray(ends[i], end - 16);
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = block[at++] ?? 0;
        value += (byte & 0x7f) << shift;
        if (byte < 0x80) return value / 2;
      }
    };
    const [count, bytes] = [next(), next()];
    expect(block.length - at).toBe(bytes);
    return { count, bytes };
  });
}

function withoutSync(file: Buffer = Buffer.alloc(0)): string {
  return file.toString('latin1').replaceAll(file.subarray(-16).toString('latin1'), '');
}

function roundTrip<T>(type: RecordType<T>, records: fc.Arbitrary<T>): () => void {
  return () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 20 }), fc.string(), (list, name) => {
        const file = encodeFile(type, list, name);
        const read = [...readRecords(type, file)];
        expect(read).toEqual(list);
        expect(encodeFile(type, read, name).equals(file)).toBe(true);
      }),
    );
  };
}

describe('encodeFile', () => {
  describe('writes what readRecords reads, and the same bytes from that', () => {
    it('ingestion headers', roundTrip(ingestionHeader, arbitrary.ingestionHeaders));
    it('data share packets', roundTrip(dataSharePacket, arbitrary.dataSharePackets));
    it('validation headers', roundTrip(validationHeader, arbitrary.validationHeaders));
    it('validation packets', roundTrip(validationPacket, arbitrary.validationPackets));
    it('sum parts', roundTrip(sumPart, arbitrary.sumParts));
    it('invalid packets', roundTrip(invalidPacket, arbitrary.invalidPackets));
    it('signatures', roundTrip(batchSignature, arbitrary.batchSignatures));
  });

  it('writes nothing at all for no records, metadata or not', () => {
    expect(encodeFile(invalidPacket, [], 'a')).toHaveLength(0);
    expect(encodeFile(invalidPacket, [], 'a', { key: 'value' })).toHaveLength(0);
  });

  it('ends a block with the record that makes it 16000 bytes or more', () => {
    const packet = { uuid: UUID }; // 37 bytes; 432 of them 15984, 433 of them 16021
    const records = Array.from({ length: 1000 }, () => packet);
    const file = encodeFile(invalidPacket, records, 'a');
    expect(blocksOf(file)).toEqual([
      { count: 433, bytes: 16_021 },
      { count: 433, bytes: 16_021 },
      { count: 134, bytes: 4958 },
    ]);
    expect([...readRecords(invalidPacket, file)]).toEqual(records);
  });

  it('writes no empty block after one that is just full', () => {
    // 3 bytes of length, 15994 of signature, no key identifier and twice null in a byte each.
    const signature = {
      batch_header_signature: Buffer.alloc(15_994),
      key_identifier: '',
      batch_header: null,
      packets: null,
    };
    const file = encodeFile(batchSignature, [signature], 'a');
    expect(blocksOf(file)).toEqual([{ count: 1, bytes: 16_000 }]);
  });

  it('writes a record of any size', () => {
    const record = {
      batch_header_signature: Buffer.alloc(0),
      key_identifier: 'k',
      batch_header: Buffer.alloc(100_000, 1),
      packets: Buffer.alloc(3_000_000, 2),
    };
    const { record: read } = readSingleRecord(batchSignature, encodeFile(batchSignature, [record], 'a'));
    // Not with `toEqual`, which is slow over millions of bytes.
    expect(record.batch_header.equals(read.batch_header ?? new Uint8Array())).toBe(true);
    expect(record.packets.equals(read.packets ?? new Uint8Array())).toBe(true);
  });

  it('takes the sync marker from the name of the object, and nothing else from it', () => {
    const [a, b] = ['a', 'b'].map((name) => encodeFile(invalidPacket, [{ uuid: UUID }], name));
    expect(a?.subarray(-16)).not.toEqual(b?.subarray(-16));
    expect(withoutSync(a)).toBe(withoutSync(b));
  });

  it('writes further metadata in ascending order, after that of the format', () => {
    const file = encodeFile(invalidPacket, [{ uuid: UUID }], 'a', { b: '2', a: 'ü', 'Z.z': '' });
    const { metadata } = readSingleRecord(invalidPacket, file);
    expect([...metadata].map(([key, value]) => [key, value.toString()])).toEqual([
      ['avro.schema', invalidPacket.schemaText],
      ['avro.codec', 'null'],
      ['Z.z', ''],
      ['a', 'ü'],
      ['b', '2'],
    ]);
    expect(encodeFile(invalidPacket, [{ uuid: UUID }], 'a', { a: 'ü', 'Z.z': '', b: '2' })).toEqual(file);
  });

  it('takes bytes that are no Buffer, also part of a larger array', () => {
    const signature = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    const record = { batch_header_signature: signature, key_identifier: 'k', batch_header: signature, packets: null };
    const file = encodeFile(batchSignature, [record], 'a');
    expect(readSingleRecord(batchSignature, file).record).toEqual({
      ...record,
      batch_header_signature: Buffer.from([1, 2]),
      batch_header: Buffer.from([1, 2]),
    });
  });

  it('writes UUIDs in canonical form', () => {
    const file = encodeFile(invalidPacket, [{ uuid: UUID.toUpperCase().replaceAll('-', '') }], 'a');
    expect(file).toEqual(encodeFile(invalidPacket, [{ uuid: UUID }], 'a'));
  });

  it.each([
    { what: 'a UUID that is none', record: { uuid: 'x', f_r: 0, g_r: 0, h_r: 0 } },
    { what: 'a long that is no integer', record: { uuid: UUID, f_r: 0.5, g_r: 0, h_r: 0 } },
    { what: 'a number beyond the safe integers', record: { uuid: UUID, f_r: 2 ** 53, g_r: 0, h_r: 0 } },
    { what: 'a bigint of more than 64 bits', record: { uuid: UUID, f_r: 2n ** 63n, g_r: 0, h_r: 0 } },
  ])('refuses $what', ({ record }) => {
    expect(() => encodeFile(validationPacket, [record], 'a')).toThrow(TypeError);
  });

  it('refuses metadata under a name of the format', () => {
    expect(() => encodeFile(invalidPacket, [], 'a', { 'avro.codec': 'x' })).toThrow(TypeError);
  });
});
