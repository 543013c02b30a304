import { constants, crc32, deflateRawSync } from 'node:zlib';
import { snappyCompress } from 'hysnappy';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRecords } from '../../../facilitator/codec/read.ts';
import { validationPacket } from '../../../facilitator/codec/record-types.ts';
import { AvroLimitExceeded, AvroMalformed } from '../../../facilitator/errors.ts';
import { file, join, value } from './avro-bytes.ts';
import { MIB, refuses, SCHEMA, UUID, type Errors } from './refusal.ts';

/** A snappy block: the data and the checksum of `plain`. */
function checked(data: Uint8Array, plain: Uint8Array): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(plain));
  return join(data, checksum);
}

describe('hostile compression', () => {
  let bomb: Buffer;

  beforeAll(() => {
    // 1 GiB of zeros. A full flush makes the parts independent of each other, so that one can be had 64 times.
    const part = deflateRawSync(Buffer.alloc(16 * MIB), { finishFlush: constants.Z_FULL_FLUSH });
    bomb = join(...Array.from({ length: 64 }, () => part), deflateRawSync(Buffer.alloc(0)));
  });

  it('refuses a deflate bomb of 1 GiB', () => {
    // Of the 1 GiB, the 64 MiB that are allowed.
    refuses(file(SCHEMA, [{ count: 1, data: bomb }], 'deflate'), AvroLimitExceeded, { maxMiB: 80 });
  });

  it.each<{ what: string; codec: string; data: Uint8Array; error: Errors }>([
    { what: 'deflate that is none', codec: 'deflate', data: Buffer.from('ffff', 'hex'), error: AvroMalformed },
    { what: 'deflate of no bytes', codec: 'deflate', data: join(), error: AvroMalformed },
    {
      what: 'deflate cut short',
      codec: 'deflate',
      data: deflateRawSync(value(UUID)).subarray(0, -3),
      error: AvroMalformed,
    },
    { what: 'snappy without checksum', codec: 'snappy', data: Buffer.from('00', 'hex'), error: AvroMalformed },
    { what: 'snappy of no bytes', codec: 'snappy', data: join(), error: AvroMalformed },
    {
      what: 'snappy with a wrong checksum',
      codec: 'snappy',
      data: checked(snappyCompress(value(UUID)), value('x')),
      error: AvroMalformed,
    },
    {
      what: 'snappy that states 2 GiB',
      codec: 'snappy',
      data: Buffer.from('8080808008' + '00'.repeat(8), 'hex'),
      error: AvroLimitExceeded,
    },
    {
      what: 'snappy that states 60 MiB of 8 bytes',
      codec: 'snappy',
      data: Buffer.from('8080801e' + '00'.repeat(8), 'hex'),
      error: AvroMalformed,
    },
    { what: 'snappy whose length has no end', codec: 'snappy', data: Buffer.alloc(20, 0xff), error: AvroMalformed },
    {
      what: 'snappy that refers to before its beginning',
      codec: 'snappy',
      data: checked(Buffer.from('0800aa0d32', 'hex'), join()),
      error: AvroMalformed,
    },
    {
      what: 'snappy of more bytes than it states',
      codec: 'snappy',
      data: checked(Buffer.from('03100102030405', 'hex'), Buffer.from('010203', 'hex')),
      error: AvroMalformed,
    },
    {
      what: 'snappy of fewer bytes than it states',
      codec: 'snappy',
      data: checked(Buffer.from('09100102030405', 'hex'), join()),
      error: AvroMalformed,
    },
  ])('refuses $what', ({ codec, data, error }) => refuses(file(SCHEMA, [{ count: 1, data }], codec), error));

  it('names the byte within what was inflated, and the block', () => {
    const bytes = file(validationPacket.schemaText, [{ count: 1, data: deflateRawSync(value(UUID)) }], 'deflate');
    expect(() => [...readRecords(validationPacket, bytes)]).toThrow(
      `at byte 37 of what the block that ends at byte ${bytes.length - 16} inflates to`,
    );
  });
});
