import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ValidationFile } from '../../../facilitator/batch/validation-file.ts';
import type { MessageBlock } from '../../../facilitator/codec/record-block.ts';
import { encodeValidations } from '../../../facilitator/codec/validation-writer.ts';

const NAME = 'kittens/2021/10/31/20/29/b8a5579a-f984-460a-a42d-2813cbf57771.validity_0.avro';
const BLOCK_ROWS = 1000;
const MIB = 2 ** 20;

/** Packets whose UUIDs count up, and whose messages are long. */
function block(first: number): MessageBlock {
  const uuids = new Uint8Array(16 * BLOCK_ROWS);
  for (let row = 0; row < BLOCK_ROWS; row++) new DataView(uuids.buffer).setUint32(16 * row, first + row);
  return { count: BLOCK_ROWS, uuids, messages: new Uint32Array(3 * BLOCK_ROWS).fill(0xffff_ffef) };
}

/** Tells how often it was gone through. */
function batchOf(blocks: number): { readonly blocks: () => Iterable<MessageBlock>; readonly passes: () => number } {
  let passes = 0;
  return {
    blocks: function* () {
      passes++;
      for (let i = 0; i < blocks; i++) yield block(BLOCK_ROWS * i);
    },
    passes: () => passes,
  };
}

async function written(file: ValidationFile): Promise<{ readonly pieces: number; readonly bytes: Buffer }> {
  const body = file.body();
  const pieces: Uint8Array[] = [];
  if (body instanceof Uint8Array) pieces.push(body);
  else for await (const piece of body) pieces.push(piece);
  return { pieces: pieces.length, bytes: Buffer.concat(pieces) };
}

describe('a file is the same however it is kept', () => {
  test.each([
    { size: 'nothing', blocks: 0, least: 0, passes: 1, isWhole: true },
    { size: 'one piece', blocks: 5, least: 0.2, passes: 1, isWhole: true },
    { size: 'kept in pieces', blocks: 200, least: 8, passes: 1, isWhole: false },
    { size: 'not kept', blocks: 700, least: 32, passes: 4, isWhole: false },
  ])('$size', async ({ blocks, least, passes, isWhole }) => {
    const batch = batchOf(blocks);
    const expected = Buffer.concat([...encodeValidations(batchOf(blocks).blocks(), NAME)]);
    expect(expected.length).toBeGreaterThanOrEqual(least * MIB);

    const file = new ValidationFile(batch.blocks, NAME);
    expect(file.digest).toEqual(createHash('sha256').update(expected).digest());
    const first = await written(file);
    expect(first.bytes.equals(expected)).toBe(true);
    expect(first.pieces === 1).toBe(isWhole);
    expect((await written(file)).bytes.equals(expected)).toBe(true);
    expect(file.bytes().equals(expected)).toBe(true);
    expect(batch.passes()).toBe(passes);
  });
});
