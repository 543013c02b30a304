import { expect, it } from 'vitest';
import { MessageTable } from '../../../facilitator/join/message-table.ts';
import { openedBlock, uuidOf, type Packet } from './packets.ts';

/** Just before the table grows. */
const FULL = 183_000;

it('the first message about each UUID is kept, in at most 41 bytes', () => {
  const packets = Array.from({ length: FULL }, (_, i): Packet => {
    return { uuid: i, message: i % 3 === 0 ? undefined : [i, 2 ** 32 - 1 - i, 2 ** 31] };
  });
  const { told, ...rows } = openedBlock(packets);
  const others = { ...rows, messages: new Uint32Array(3 * FULL), marks: new Uint8Array(FULL) };
  const table = new MessageTable();
  const ordinals = packets.map((_, row) => table.add({ ...rows, marks: told }, row));
  expect(ordinals).toEqual(packets.map((_, row) => table.add(others, row)));
  expect(table.size).toBe(FULL);
  expect(table.byteLength / FULL).toBeLessThan(41);

  const message = { f_r: 0, g_r: 0, h_r: 0 };
  for (const i of [0, 1, 16_383, 16_384, 100_000, FULL - 1]) {
    const ordinal = table.find(uuidOf(i), 0);
    expect(ordinal).toBe(i);
    expect(table.isMarked(ordinal)).toBe(i % 3 !== 0);
    expect(table.isMessage(ordinal, rows.messages, i)).toBe(true);
    table.read(ordinal, message);
    expect(Object.values(message)).toEqual([...rows.messages.subarray(3 * i, 3 * i + 3)]);
  }
  expect(table.find(uuidOf(FULL), 0)).toBe(-1);
});
