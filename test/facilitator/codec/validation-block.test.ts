import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValidations } from '../../../facilitator/codec/validation-block.ts';
import { validationPackets } from './arbitraries.ts';
import { file, join, long, recordOf, value } from './avro-bytes.ts';
import { describeDecoding } from './decoding-suite.ts';
import { UUID } from './refusal.ts';
import { expectSame, framed, validations } from './streamed.ts';

const u32 = fc.nat({ max: 2 ** 32 - 1 });
const honestPackets = fc.record({ uuid: fc.uuid(), f_r: u32, g_r: u32, h_r: u32 });

const reference = { folder: 'to-peer-validation', suffix: '.avro' };
describeDecoding('honest validations are decoded', validations, honestPackets, reference);
describeDecoding('any validations are decoded', validations, validationPackets, reference);

const SCHEMA = recordOf({ uuid: 'string', f_r: 'long', g_r: 'long', h_r: 'long' });

describe('decodeValidations', () => {
  it.each([
    { message: [1, 2, 3], inRange: 1 },
    { message: [0, 2 ** 32 - 1, 2 ** 31], inRange: 1 },
    { message: [1, 2, -1], inRange: 0 },
    { message: [1, 2 ** 32, 3], inRange: 0 },
    { message: [2 ** 34 - 1, 2, 3], inRange: 0 },
    { message: [2 ** 40, 2, 3], inRange: 0 },
    { message: [1, 2n ** 63n - 1n, 3], inRange: 0 },
    { message: [1, 2, -(2n ** 63n)], inRange: 0 },
  ])('tells whether $message are unsigned 32-bit integers', async ({ message, inRange }) => {
    const plain = join(value(UUID), long(7), long(8), long(9));
    const bytes = file(SCHEMA, [{ count: 2, data: join(value(UUID), ...message.map(long), plain) }]);
    await expectSame(validations, bytes);
    const { format, blocks } = await framed(bytes);
    const [block] = blocks.map((block) => decodeValidations(format, block));
    expect(block?.inRange).toEqual(Uint8Array.of(inRange, 1));
    expect(block?.messages).toEqual(Uint32Array.from([...(inRange ? message.map(Number) : [0, 0, 0]), 7, 8, 9]));
  });
});
