import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUuid } from '../../../common/domain/uuid.ts';
import { validationPacket } from '../../../facilitator/codec/record-types.ts';
import type { MessageBlock } from '../../../facilitator/codec/record-block.ts';
import { encodeValidations } from '../../../facilitator/codec/validation-writer.ts';
import { encodeFile } from '../../../facilitator/codec/write.ts';

function recordsOf(blocks: readonly MessageBlock[]): { uuid: string; f_r: number; g_r: number; h_r: number }[] {
  return blocks.flatMap(({ count, uuids, messages }) =>
    Array.from({ length: count }, (_, i) => {
      const [f_r = 0, g_r = 0, h_r = 0] = messages.subarray(3 * i);
      return { uuid: formatUuid(uuids.subarray(16 * i, 16 * i + 16)), f_r, g_r, h_r };
    }),
  );
}

const blocks = (count: fc.Arbitrary<number>): fc.Arbitrary<MessageBlock> =>
  count.chain((count) =>
    fc.record({
      count: fc.constant(count),
      uuids: fc.uint8Array({ minLength: 16 * count, maxLength: 16 * count }),
      messages: fc
        .array(fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), fc.constantFrom(0, 63, 64, 8191, 8192, 2 ** 31, 2 ** 32 - 1)), {
          minLength: 3 * count,
          maxLength: 3 * count,
        })
        .map((values) => Uint32Array.from(values)),
    }),
  );

describe('encodeValidations', () => {
  it('gives the bytes that encodeFile gives', () => {
    fc.assert(
      fc.property(fc.array(blocks(fc.nat({ max: 20 })), { maxLength: 5 }), fc.string(), (source, name) => {
        const encoded = Buffer.concat([...encodeValidations(source, name)]);
        expect(encoded.equals(encodeFile(validationPacket, recordsOf(source), name))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same blocks as encodeFile, wherever those of the source end', () => {
    const [all] = fc.sample(blocks(fc.constant(2000)), { numRuns: 1, seed: 1 });
    if (!all) throw new Error('no sample');
    const expected = encodeFile(validationPacket, recordsOf([all]), 'a/b');
    for (const size of [1, 7, 300, 2000]) {
      const source = Array.from({ length: Math.ceil(2000 / size) }, (_, i) => ({
        count: Math.min(size, 2000 - i * size),
        uuids: all.uuids.subarray(16 * i * size),
        messages: all.messages.subarray(3 * i * size),
      }));
      expect(Buffer.concat([...encodeValidations(source, 'a/b')]).equals(expected)).toBe(true);
    }
  });

  it('gives nothing for no packets', () => {
    const empty = { count: 0, uuids: new Uint8Array(), messages: new Uint32Array() };
    expect([...encodeValidations([], 'a'), ...encodeValidations([empty, empty], 'a')]).toEqual([]);
  });

  it('takes from its source as its chunks are taken', () => {
    let taken = 0;
    const source = (function* () {
      for (; ; taken++) yield { count: 100, uuids: new Uint8Array(1600), messages: new Uint32Array(300) };
    })();
    const chunks = encodeValidations(source, 'a');
    for (let i = 0; i < 3; i++) expect(chunks.next().done).toBe(false);
    // Header and two blocks of 400 packets of 40 bytes each.
    expect(taken).toBeLessThanOrEqual(8);
    chunks.return(undefined);
  });
});
