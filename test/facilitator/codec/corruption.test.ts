import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DspError } from '../../../common/errors.ts';
import { readAny, readRecords, readSingleRecord } from '../../../facilitator/codec/read.ts';
import {
  dataSharePacket,
  recordTypes,
  validationPacket,
  type RecordType,
} from '../../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../../facilitator/codec/write.ts';
import { dataSharePackets } from './arbitraries.ts';
import { file, recordOf } from './avro-bytes.ts';

const PACKETS = ['52bb1827-7fa3-4aad-83c0-337c4e225b9c', '71565d0e-0594-42b8-8635-17420c18fb84'].map((uuid) => ({
  uuid,
  f_r: 4_293_918_720,
  g_r: -1,
  h_r: 0,
}));
const FILE = encodeFile(validationPacket, PACKETS, 'a');

/** How many records there are until the end or the error, which must be one of Avro. */
function countUntilFailure(type: RecordType<unknown>, bytes: Uint8Array): number {
  let count = 0;
  onlyAvroErrors(() => {
    for (const _ of readRecords(type, bytes)) count++;
  });
  return count;
}

function onlyAvroErrors(act: () => void): void {
  try {
    act();
  } catch (err) {
    expect(err).toBeInstanceOf(DspError);
    expect(err).toMatchObject({ code: expect.stringMatching(/^E_AVRO_/), fate: 'reject' });
  }
}

describe('a damaged file', () => {
  it('gives, cut off at any byte, no more records than it had, and at most an Avro error', () => {
    for (let length = 0; length < FILE.length; length++) {
      expect(countUntilFailure(validationPacket, FILE.subarray(0, length))).toBe(0);
    }
    expect(countUntilFailure(validationPacket, FILE)).toBe(2);
  });

  it('gives, with any bit flipped, no more records than it had, and at most an Avro error', () => {
    for (let bit = 0; bit < 8 * FILE.length; bit++) {
      const bytes = Buffer.from(FILE);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(countUntilFailure(validationPacket, bytes)).toBeLessThanOrEqual(2);
    }
  });

  it('gives, with any byte of its records replaced by any other, no more records than it had, and at most an Avro error', () => {
    for (let at = FILE.length - 16 - 2 * 50; at < FILE.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const bytes = Buffer.from(FILE);
        bytes[at] = byte;
        expect(countUntilFailure(validationPacket, bytes)).toBeLessThanOrEqual(2);
      }
    }
  });

  it('of packets, cut off anywhere, gives the packets of the blocks that are whole', () => {
    const file = fc
      .array(dataSharePackets, { minLength: 1, maxLength: 5 })
      // As many as make several blocks.
      .map((packets) => encodeFile(dataSharePacket, Array.from({ length: 60 }, () => packets).flat(), 'a'));
    fc.assert(
      fc.property(file, fc.double({ min: 0, max: 1, noNaN: true }), (file, part) => {
        const all = [...readRecords(dataSharePacket, file)];
        const read: unknown[] = [];
        onlyAvroErrors(() => {
          for (const packet of readRecords(dataSharePacket, file.subarray(0, Math.floor(part * file.length))))
            read.push(packet);
        });
        expect(read).toEqual(all.slice(0, read.length));
      }),
      { numRuns: 30 },
    );
  });

  it.each(recordTypes.map((type) => ({ type, name: type.name })))(
    'of random bytes is at most an Avro error for $name',
    ({ type }) => {
      const own = (bytes: Uint8Array, count: number): Buffer => file(type.schemaText, [{ count, data: bytes }]);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 5 }), (bytes, count) => {
          countUntilFailure(type, bytes);
          countUntilFailure(type, own(bytes, count));
          onlyAvroErrors(() => void readSingleRecord(type, own(bytes, 1)));
          onlyAvroErrors(() => void [...readAny(own(bytes, count)).records]);
          for (const codec of ['deflate', 'snappy']) {
            countUntilFailure(type, file(type.schemaText, [{ count, data: bytes }], codec));
          }
        }),
      );
    },
  );

  it('of any JSON as schema is at most an Avro error', () => {
    const names = ['null', 'int', 'long', 'bytes', 'string', 'array', 'map', 'record', 'fixed', 'enum', 'R', 'x.Y'];
    const { type } = fc.letrec<{ type: unknown }>((tie) => ({
      type: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(...names),
        fc.array(tie('type'), { maxLength: 3 }),
        fc.record({ type: fc.constant('array'), items: tie('type') }),
        fc.record({ type: fc.constant('map'), values: tie('type') }),
        fc.record({
          type: tie('type'),
          name: fc.constantFrom('x.Y', 'Z'),
          size: fc.nat({ max: 3 }),
          symbols: fc.array(fc.string()),
        }),
        fc.record({
          type: fc.constant('record'),
          name: fc.constantFrom('x.Y', 'Z'),
          fields: fc.array(fc.record({ name: fc.string(), type: tie('type') }), { maxLength: 3 }),
        }),
        fc.jsonValue(),
      ),
    }));
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 60 }), (extra, bytes) => {
        const schema = recordOf({ extra, uuid: 'string', f_r: 'long', g_r: 'long', h_r: extra });
        countUntilFailure(validationPacket, file(schema, [{ count: 1, data: bytes }]));
        countUntilFailure(validationPacket, file(extra, [{ count: 1, data: bytes }]));
      }),
      { numRuns: 300 },
    );
  });
});
