import { describe, expect, it } from 'vitest';
import { decodeDataShares } from '../../../facilitator/codec/data-share-block.ts';
import { dataSharePacket, validationPacket } from '../../../facilitator/codec/record-types.ts';
import { AvroSchemaUnsuitable } from '../../../facilitator/errors.ts';
import { dataSharePackets } from './arbitraries.ts';
import { file, join, long, recordOf, value } from './avro-bytes.ts';
import { CODECS, describeDecoding } from './decoding-suite.ts';
import { UUID } from './refusal.ts';
import { checkedDataShares, dataShares, expectSame, framed } from './streamed.ts';

/** As honest writers give them, which is what the quick pass is for. */
const plainPackets = dataSharePackets.map((packet) => ({
  ...packet,
  encryption_key_id: packet.encryption_key_id === null ? null : 'key-1',
  version_configuration: packet.version_configuration === null ? null : 'config-1',
  r_pit: Number(BigInt.asUintN(32, BigInt(packet.r_pit))),
}));

const reference = { folder: 'ingestion', suffix: '.batch.avro' };
describeDecoding('plain data shares are decoded', dataShares, plainPackets, reference);
describeDecoding('any data shares are decoded', dataShares, dataSharePackets, reference);
describeDecoding('data shares are checked', checkedDataShares, plainPackets, reference);

const PAYLOAD = Buffer.from('payload');
const EXPECTED = [{ uuid: UUID, payload: PAYLOAD.toString('hex'), rPit: 5 }];

/** The fields of one packet, in our order. */
const FIELDS = {
  uuid: { type: 'string' as unknown, data: value(UUID) },
  encrypted_payload: { type: 'bytes' as unknown, data: value(PAYLOAD) },
  encryption_key_id: { type: ['null', 'string'] as unknown, data: join(long(1), value('key')) },
  r_pit: { type: 'long' as unknown, data: long(5) },
  version_configuration: { type: ['null', 'string'] as unknown, data: long(0) },
  device_nonce: { type: ['null', 'bytes'] as unknown, data: join(long(1), value('nonce')) },
};

type Fields = Readonly<Record<string, { readonly type: unknown; readonly data: Uint8Array }>>;

function fileOf(fields: Fields): Buffer {
  const schema = recordOf(Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type])));
  return file(schema, [{ count: 1, data: join(...Object.values(fields).map(({ data }) => data)) }]);
}

/** Whether the payloads are where they were in the block, hence were passed quickly. */
async function isQuick(bytes: Uint8Array): Promise<boolean> {
  const { format, blocks } = await framed(bytes);
  return blocks.every((block) => decodeDataShares(format, block).bytes.buffer === block.bytes.buffer);
}

describe('decodeDataShares', () => {
  it.each<{ what: string; fields: Fields }>([
    { what: 'without logical type', fields: FIELDS },
    {
      what: 'with strings as Java has them',
      fields: {
        ...FIELDS,
        uuid: { type: { type: 'string', 'avro.java.string': 'String' }, data: value(UUID) },
        encryption_key_id: {
          type: ['null', { type: 'string', 'avro.java.string': 'String' }],
          data: join(long(1), value('key')),
        },
      },
    },
    {
      what: 'with a UUID in capitals',
      fields: { ...FIELDS, uuid: { type: 'string', data: value(UUID.toUpperCase()) } },
    },
    {
      what: 'with lengths in more bytes than they need',
      fields: {
        ...FIELDS,
        encrypted_payload: { type: 'bytes', data: join(Buffer.from([0x8e, 0x00]), PAYLOAD) },
      },
    },
  ])('passes quickly over records $what', async ({ fields }) => {
    const { error, records } = await expectSame(dataShares, fileOf(fields));
    expect({ error, records }).toEqual({ error: undefined, records: EXPECTED });
    expect(await isQuick(fileOf(fields))).toBe(true);
  });

  it.each<{ what: string; fields: Fields }>([
    { what: 'with fields in another order', fields: Object.fromEntries(Object.entries(FIELDS).toReversed()) },
    { what: 'with a further field', fields: { ...FIELDS, extra: { type: 'double', data: Buffer.alloc(8) } } },
    {
      what: 'with branches in another order',
      fields: { ...FIELDS, device_nonce: { type: ['bytes', 'null'], data: long(1) } },
    },
    {
      what: 'with fewer branches',
      fields: { ...FIELDS, version_configuration: { type: ['null'], data: long(0) } },
    },
    {
      what: 'with one type for a union',
      fields: { ...FIELDS, encryption_key_id: { type: 'string', data: value('k') } },
    },
    { what: 'with an int for a long', fields: { ...FIELDS, r_pit: { type: 'int', data: long(5) } } },
    {
      what: 'with a UUID without hyphens',
      fields: { ...FIELDS, uuid: { type: 'string', data: value(UUID.replaceAll('-', '')) } },
    },
    { what: 'with a UUID as URN', fields: { ...FIELDS, uuid: { type: 'string', data: value(`urn:uuid:${UUID}`) } } },
    {
      what: 'with a key identifier that is not ASCII',
      fields: { ...FIELDS, encryption_key_id: { type: ['null', 'string'], data: join(long(1), value('Schlüssel')) } },
    },
  ])('reads records $what all the same', async ({ fields }) => {
    const { error, records } = await expectSame(dataShares, fileOf(fields));
    expect({ error, records }).toEqual({ error: undefined, records: EXPECTED });
    expect(await isQuick(fileOf(fields))).toBe(false);
  });

  it.each(['-', 'g', '/', ':', '@', 'G', '`', ' '])(
    'refuses a UUID with "%s" for a digit, as at once',
    async (digit) => {
      for (const at of [0, 7, 9, 35]) {
        const uuid = `${UUID.slice(0, at)}${digit}${UUID.slice(at + 1)}`;
        const { error } = await expectSame(
          dataShares,
          fileOf({ ...FIELDS, uuid: { type: 'string', data: value(uuid) } }),
        );
        expect(error).toBeDefined();
      }
    },
  );

  it('gives r_pit as a double, exact up to 2^53', async () => {
    const rPits = [
      0,
      -1,
      63,
      -64,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      -(2 ** 32),
      2 ** 34 - 1,
      2 ** 34,
      2 ** 53,
      2n ** 63n - 1n,
    ];
    for (const rPit of rPits) {
      const { records } = await expectSame(
        dataShares,
        fileOf({ ...FIELDS, r_pit: { type: 'long', data: long(rPit) } }),
      );
      expect(records).toEqual([{ ...EXPECTED[0], rPit: Number(rPit) }]);
    }
  });

  it('takes a block that is part of a larger array, in every codec', async () => {
    const data = join(...Object.values(FIELDS).map(({ data }) => data));
    for (const { codec, compress } of CODECS) {
      const bytes = new Uint8Array(join(Buffer.alloc(9), compress(data), Buffer.alloc(9)));
      const block = { count: 1, bytes: bytes.subarray(9, -9), position: 1000 };
      const format = { schema: new Uint8Array(Buffer.from(dataSharePacket.schemaText)), codec };
      const decoded = decodeDataShares(format, block);
      expect(Buffer.from(decoded.bytes.subarray(decoded.payloadStarts[0], decoded.payloadEnds[0]))).toEqual(PAYLOAD);
    }
  });

  it('goes from one schema to another and back', async () => {
    const other = fileOf(Object.fromEntries(Object.entries(FIELDS).toReversed()));
    for (const bytes of [fileOf(FIELDS), other, fileOf(FIELDS), other]) {
      expect((await expectSame(dataShares, bytes)).records).toEqual(EXPECTED);
    }
  });

  it('refuses a schema that lacks a field, at every block', () => {
    const format = { schema: Buffer.from(validationPacket.schemaText), codec: 'null' } as const;
    for (let i = 0; i < 2; i++) {
      expect(() => decodeDataShares(format, { count: 0, bytes: new Uint8Array(), position: 0 })).toThrow(
        AvroSchemaUnsuitable,
      );
    }
  });
});
