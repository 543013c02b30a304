import { createCipheriv } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UuidTable } from '../../../facilitator/join/uuid-table.ts';
import { uuidBytes } from '../../../common/domain/uuid.ts';

describe('a table of UUIDs', () => {
  it('gives each the ordinal of its first entry, like a map of texts', () => {
    const uuid = fc.oneof(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      // They differ in one byte, or not at all.
      fc.tuple(fc.nat(15), fc.nat(255)).map(([at, byte]) => new Uint8Array(16).fill(byte, at, at + 1)),
    );
    fc.assert(
      fc.property(fc.array(uuid, { maxLength: 300 }), (list) => {
        const rows = Buffer.concat(list);
        const table = new UuidTable();
        const model = new Map<string, number>();
        for (let row = 0; row < list.length; row++) {
          const text = Buffer.from(list[row]!).toString('hex');
          expect(table.find(rows, row)).toBe(model.get(text) ?? -1);
          if (!model.has(text)) model.set(text, model.size);
          expect(table.add(rows, row)).toBe(model.get(text));
          expect(table.find(rows, row)).toBe(model.get(text));
        }
        expect(table.size).toBe(model.size);
        const texts = Array.from({ length: table.size }, (_, i) => Buffer.from(table.uuidAt(i)).toString('hex'));
        expect(texts).toEqual([...model.keys()]);
      }),
      { numRuns: 100 },
    );
  });
});

/** Counts up in big-endian order within four bytes; the others are those of a version 4 UUID. */
function counted(count: number, begin: number, step = 1): Uint8Array {
  const rows = Buffer.alloc(16 * count, uuidBytes('0d1f9d3c-4e5a-4b6c-8d7e-9f0a1b2c3d4e'));
  for (let i = 0; i < count; i++) rows.writeUInt32BE(step * i, 16 * i + begin);
  return rows;
}

/** Version 4, of a key stream. */
function random(count: number): Uint8Array {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const rows = cipher.update(Buffer.alloc(16 * count));
  for (let i = 0; i < count; i++) {
    rows[16 * i + 6] = (rows[16 * i + 6]! & 0x0f) | 0x40;
    rows[16 * i + 8] = (rows[16 * i + 8]! & 0x3f) | 0x80;
  }
  return rows;
}

const MILLION = 1_000_000;
/** Just before the table grows. */
const FULL = 183_000;

it.each([
  { name: 'a million at random', uuids: random(MILLION) },
  { name: 'a million counted up', uuids: counted(MILLION, 12) },
  { name: 'counted up at the beginning', uuids: counted(FULL, 0) },
  { name: 'counted up in the middle', uuids: counted(FULL, 9) },
  { name: 'counted up by steps of 2^12', uuids: counted(FULL, 12, 2 ** 12) },
  { name: 'counted up by steps of 2^12 at the beginning', uuids: counted(FULL, 0, 2 ** 12) },
])('UUIDs are found within few probes, in at most 28 bytes each: $name', ({ uuids }) => {
  const count = uuids.length / 16;
  const table = new UuidTable();
  for (let row = 0; row < count; row++) if (table.add(uuids, row) !== row) expect.fail(`${row} was there already`);
  expect(table.byteLength / count).toBeLessThan(28);

  let [samples, probes, most] = [0, 0, 0];
  for (let row = 0; row < count; row += 7) {
    const here = table.probesFor(uuids, row);
    samples++;
    probes += here;
    most = Math.max(most, here);
  }
  // Linear probing at a load of at most 0.7, of hashes as good as random: 2.2 on average (Knuth, vol. 3, 6.4).
  expect(probes / samples).toBeLessThan(2.3);
  expect(most).toBeLessThan(200);
});
