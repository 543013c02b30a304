import { readdirSync, readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { snappyCompress } from 'hysnappy';
import { describe, expect, it } from 'vitest';
import { avscRecordType } from '../../../facilitator/codec/avsc-types.ts';
import { encodeFile } from '../../../facilitator/codec/write.ts';
import { file, join } from './avro-bytes.ts';
import { expectSame, type Decoding } from './streamed.ts';

const snappy = (plain: Uint8Array): Buffer => {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(plain));
  return join(snappyCompress(plain), checksum);
};

export const CODECS = [
  { codec: 'null', compress: (plain: Uint8Array) => plain },
  { codec: 'deflate', compress: (plain: Uint8Array) => deflateRawSync(plain) },
  { codec: 'snappy', compress: snappy },
] as const;

const VECTORS = fileURLToPath(new URL('../../vectors/cases', import.meta.url));

/** The packet files of the reference in folders of this name. */
function vectors(folder: string, suffix: string): string[] {
  return readdirSync(VECTORS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes(`/${folder}/`) && path.endsWith(suffix))
    .map((path) => joinPath(VECTORS, path));
}

/** That decoding block by block gives what decoding the whole file gives, whatever the file. */
export function describeDecoding<T>(
  what: string,
  decoding: Decoding<T>,
  records: fc.Arbitrary<T>,
  reference: { readonly folder: string; readonly suffix: string },
): void {
  const { type } = decoding;
  const avsc = avscRecordType(type);
  const bytesOf = (list: readonly T[]): Buffer => join(...list.map((record) => avsc.toBuffer(record)));
  const sampled = (count: number, seed: number): T[] => fc.sample(records, { numRuns: count, seed });

  describe(what, () => {
    it('as at once from files of the reference', async () => {
      const files = vectors(reference.folder, reference.suffix);
      expect(files.length).toBeGreaterThan(5);
      // One of them is damaged on purpose.
      const outcomes = [];
      for (const path of files) outcomes.push(await expectSame(decoding, readFileSync(path), [1000, 7]));
      expect(outcomes.filter(({ error }) => error).length).toBeLessThan(2);
      expect(outcomes.flatMap(({ records }) => records).length).toBeGreaterThan(files.length);
    });

    it('as at once from files of ours of several blocks', async () => {
      const many = Array.from({ length: 200 }, () => sampled(5, 7)).flat();
      const { records } = await expectSame(decoding, encodeFile(type, many, 'a'), [64 * 1024]);
      expect(records).toHaveLength(many.length);
    });

    it('as at once in any codec and any chunks', async () => {
      const blocks = fc.array(fc.array(records, { maxLength: 6 }), { maxLength: 4 });
      const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(blocks, fc.constantFrom(...CODECS), sizes, async (blocks, { codec, compress }, sizes) => {
          const data = blocks.map((list) => ({ count: list.length, data: compress(bytesOf(list)) }));
          const { error, records } = await expectSame(decoding, file(type.schemaText, data, codec), sizes);
          expect(error).toBeUndefined();
          expect(records).toHaveLength(blocks.flat().length);
        }),
        { numRuns: 60 },
      );
    });

    const small = sampled(2, 3);
    const FILE = encodeFile(type, small, 'a');
    const DATA = bytesOf(small);

    it('fails as at once, cut off at any byte', async () => {
      for (let length = 0; length <= FILE.length; length++) {
        await expectSame(decoding, FILE.subarray(0, length), [100]);
      }
    });

    it('fails as at once, with any bit of its records flipped', async () => {
      for (let bit = 8 * (FILE.length - DATA.length - 20); bit < 8 * FILE.length; bit++) {
        const bytes = Buffer.from(FILE);
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        await expectSame(decoding, bytes);
      }
    });

    it('fails as at once, with bytes of any kind in its records', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: DATA.length - 1 }),
          fc.uint8Array({ minLength: 1, maxLength: 12 }),
          fc.nat({ max: 12 }),
          fc.integer({ min: 0, max: 4 }),
          async (at, inserted, removed, count) => {
            const data = join(DATA.subarray(0, at), inserted, DATA.subarray(at + removed));
            for (const { codec, compress } of CODECS) {
              await expectSame(decoding, file(type.schemaText, [{ count, data: compress(data) }], codec));
              await expectSame(decoding, file(type.schemaText, [{ count, data }], codec));
            }
          },
        ),
      );
    });

    it.each([2 ** 20, 2 ** 31, 2 ** 50])(
      'fails as at once for a count of %i that its bytes cannot hold',
      async (count) => {
        const { error } = await expectSame(decoding, file(type.schemaText, [{ count, data: DATA }]));
        expect(error).toBeDefined();
      },
    );
  });
}
