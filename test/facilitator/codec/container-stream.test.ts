import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../../facilitator/codec/container-stream.ts';
import { invalidPacket, validationPacket } from '../../../facilitator/codec/record-types.ts';
import { AvroLimitExceeded, AvroMalformed, AvroSchemaUnsuitable } from '../../../facilitator/errors.ts';
import { block, file, header, join, long, MAGIC, SYNC, value } from './avro-bytes.ts';
import { MIB, SCHEMA, UUID } from './refusal.ts';
import { framed, inChunks } from './streamed.ts';

const BLOCKS = [
  { count: 1, data: value(UUID) },
  { count: 0, data: join() },
  { count: 600, data: join(...Array.from({ length: 600 }, () => value(UUID))) },
];
const FILE = file(SCHEMA, BLOCKS);

describe('openContainer', () => {
  async function expectBlocks(sizes: readonly number[]): Promise<void> {
    const { format, blocks } = await framed(FILE, sizes);
    expect(Buffer.from(format.schema).toString()).toBe(SCHEMA);
    expect(blocks.map(({ count }) => count)).toEqual(BLOCKS.map(({ count }) => count));
    for (const [i, { bytes, position }] of blocks.entries()) {
      expect(BLOCKS[i]?.data.equals(bytes)).toBe(true);
      expect(FILE.subarray(position, position + bytes.length).equals(bytes)).toBe(true);
    }
  }

  it.each([1, 2, 3, 7, 16, 61, 4096, FILE.length])('finds the blocks in chunks of %i bytes', (size) =>
    expectBlocks([size]),
  );

  it('finds the blocks in chunks of any sizes', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(fc.asyncProperty(sizes, expectBlocks), { numRuns: 50 });
  });

  it('gives a header that shares no memory with the chunks', async () => {
    const chunks = [Buffer.from(FILE)];
    const opened = await openContainer(inChunksOf(chunks));
    const schema = opened?.header.schema;
    chunks[0]?.fill(0);
    expect(schema?.toString()).toBe(SCHEMA);
  });

  it('copies only the blocks that lie across the ends of chunks', async () => {
    const chunks = [Buffer.from(FILE.subarray(0, FILE.length / 2)), Buffer.from(FILE.subarray(FILE.length / 2))];
    const memory = new Set<ArrayBufferLike>(chunks.map(({ buffer }) => buffer));
    const opened = await openContainer(inChunksOf(chunks));
    let blocks = 0;
    let copied = 0;
    for await (const { bytes } of opened?.blocks ?? []) {
      blocks++;
      if (!memory.has(bytes.buffer)) copied++;
    }
    expect(copied).toBe(1);
    expect(blocks).toBeGreaterThan(1);
  });

  it.each([{ chunks: [] }, { chunks: [''] }, { chunks: ['', '', ''] }])(
    'is undefined for $chunks',
    async ({ chunks }) => {
      expect(await openContainer(inChunksOf(chunks.map((text) => Buffer.from(text))))).toBeUndefined();
    },
  );

  it('passes over empty chunks', async () => {
    const chunks = [Buffer.alloc(0), FILE.subarray(0, 500), Buffer.alloc(0), FILE.subarray(500), Buffer.alloc(0)];
    const opened = await openContainer(inChunksOf(chunks));
    let count = 0;
    for await (const block of opened?.blocks ?? []) count += block.count;
    expect(count).toBe(601);
  });

  it.each([{ tail: '' }, { tail: '80' }, { tail: 'ffffff' }])(
    'ends cleanly within the count of a block: "$tail"',
    async ({ tail }) => {
      const bytes = join(FILE, Buffer.from(tail, 'hex'));
      expect((await framed(bytes, [5])).blocks).toHaveLength(3);
    },
  );

  it('reads a header of many chunks', async () => {
    const bytes = join(
      header({ more: Buffer.alloc(300_000, 1), 'avro.schema': SCHEMA }),
      block({ count: 1, data: value(UUID) }),
    );
    expect((await framed(bytes, [1000])).blocks).toEqual([
      { count: 1, bytes: value(UUID), position: bytes.length - 37 - 16 },
    ]);
  });

  it.each([
    { what: 'another magic, however much follows', bytes: join(Buffer.from('Obj\x02'), Buffer.alloc(10_000)) },
    { what: 'less than a magic', bytes: MAGIC.subarray(0, 3) },
    { what: 'metadata without end', bytes: join(MAGIC, long(1), value('a'), value('b')) },
    { what: 'a header cut short', bytes: FILE.subarray(0, 100) },
    { what: 'no schema', bytes: header({}) },
  ])('refuses $what', async ({ bytes }) => {
    for (const size of [1, 100_000])
      await expect(openContainer(inChunks(bytes, [size]))).rejects.toThrow(AvroMalformed);
  });

  it('refuses a wrong magic without waiting for more', async () => {
    let given = 0;
    const endless = (async function* () {
      for (; ; given++) yield Buffer.alloc(4096, 0x3c);
    })();
    await expect(openContainer(endless)).rejects.toThrow(AvroMalformed);
    expect(given).toBe(0);
  });

  it('refuses a schema that cannot be read as the type, if one is asked for', async () => {
    await expect(openContainer(inChunks(FILE), validationPacket)).rejects.toThrow(AvroSchemaUnsuitable);
    expect(await openContainer(inChunks(FILE), invalidPacket)).toBeDefined();
  });

  it('leaves the chunks open, so that the rest can be read', async () => {
    const bytes = join(FILE, long(1), long(-1), Buffer.alloc(20_000));
    const chunks = inChunks(bytes, [FILE.length + 10, 15_000]);
    const opened = await openContainer(chunks);
    await expect(async () => {
      for await (const _ of opened?.blocks ?? []);
    }).rejects.toThrow('a block of -1 bytes');
    let rest = 0;
    for await (const chunk of chunks) rest += chunk.length;
    expect(rest).toBeGreaterThan(0);
    expect(rest).toBe(bytes.length - FILE.length - 10 - 15_000);
  });

  it('passes on what the chunks throw', async () => {
    const broken = (async function* () {
      yield FILE.subarray(0, FILE.length - 100);
      throw new Error('broken off');
    })();
    const opened = await openContainer(broken);
    await expect(async () => {
      for await (const _ of opened?.blocks ?? []);
    }).rejects.toThrow('broken off');
  });
});

describe('memory', () => {
  const CHUNK = Buffer.alloc(MIB);

  async function* after(start: Uint8Array, chunks: number, pulled = { chunks: 0 }): AsyncGenerator<Uint8Array> {
    yield start;
    for (; pulled.chunks < chunks; pulled.chunks++) yield CHUNK;
  }

  const drained = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    const opened = await openContainer(chunks);
    for await (const _ of opened?.blocks ?? []);
  };

  it.each([
    { what: 'a block of more than 64 MiB', start: join(file(SCHEMA, []), long(1), long(66 * MIB)), there: 70 },
    { what: 'a header of more than 64 MiB', start: join(MAGIC, long(1), value('a'), long(200 * MIB)), there: 201 },
  ])('refuses $what', async ({ start, there }) => {
    await expect(drained(after(start, there))).rejects.toThrow(AvroLimitExceeded);
  });

  it('takes no memory for a block of 2^50 bytes, of which there are but some', async () => {
    const start = join(file(SCHEMA, []), long(1), long(2 ** 50));
    await expect(drained(after(start, 200))).rejects.toThrow(
      `a block of ${2 ** 50} bytes where ${200 * MIB} are left, at byte ${file(SCHEMA, []).length + 1}`,
    );
  });

  it('is ahead by no more than a chunk, and keeps none of 64 MB of blocks', async () => {
    const packed = join(...Array.from({ length: 4 }, () => block({ count: 1, data: Buffer.alloc(16_000) })));
    const chunks = Math.ceil((64 * MIB) / packed.length);
    let pulled = 0;
    const start = header({ 'avro.schema': SCHEMA });
    const source = (async function* () {
      yield start;
      for (; pulled < chunks;) {
        pulled++;
        yield Buffer.from(packed);
      }
    })();
    const opened = await openContainer(source);
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for await (const { position, bytes } of opened?.blocks ?? []) {
      const given = position + bytes.length + SYNC.length - start.length;
      expect(pulled * packed.length - given).toBeLessThan(packed.length);
    }
    collectGarbage();
    expect(pulled).toBe(chunks);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MIB);
  });
});

async function* inChunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void; // there by the flag
  gc();
}
