import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeftOutPackets, OwnBlock } from '../../../facilitator/join/own-block.ts';
import { ownSequence } from '../../../facilitator/join/own-sequence.ts';
import { P } from '../../../facilitator/prio/field.ts';
import { packets, sizes } from './batches.ts';
import { firstOf, toldAbout } from './model.ts';
import { numbersOf, uuidOf, validationStream, type Message, type Told } from './packets.ts';

interface Row {
  readonly uuid: number;
  readonly message: Message | undefined;
  readonly isRepeat: boolean;
}

function rowsOf({ count, uuids, messages, told, repeat }: OwnBlock): Row[] {
  const numbers = numbersOf(uuids);
  expect([numbers.length, messages.length, told.length, repeat.length]).toEqual([count, 3 * count, count, count]);
  return numbers.map((uuid, row) => {
    const [f, g, h] = messages.subarray(3 * row);
    return { uuid, message: told[row] === 1 ? [f!, g!, h!] : undefined, isRepeat: repeat[row] === 1 };
  });
}

async function drained(blocks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of blocks);
}

const leftOutOf = (list: readonly (readonly [number, number])[]): LeftOutPackets => ({
  positions: Uint32Array.from(list, ([position]) => position),
  uuids: Buffer.concat(list.map(([, uuid]) => uuidOf(uuid))),
});

it('the packets of a batch are rebuilt from what was told and what was left out', async () => {
  await fc.assert(
    fc.asyncProperty(packets, sizes, async (list, blockSizes) => {
      const firsts = firstOf(list);
      const position = new Map(list.map(({ uuid }, i) => [uuid, i] as const).toReversed());
      const want = list.map(({ uuid }, i) => ({ uuid, message: firsts.get(uuid), isRepeat: position.get(uuid) !== i }));
      const leftOut = want.flatMap(({ uuid, message }, i) => (message ? [] : [[i, uuid] as const]));
      const repeats = Uint32Array.from(want.flatMap(({ isRepeat }, i) => (isRepeat ? [i] : [])));

      const rows: Row[] = [];
      const own = validationStream(toldAbout(list), blockSizes);
      for await (const block of ownSequence(own, leftOutOf(leftOut), repeats)) rows.push(...rowsOf(block));
      expect(rows).toEqual(want);
      expect(own.isAtEnd).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('packets left out are rebuilt however many there are', async () => {
  const leftOut = leftOutOf(Array.from({ length: 5000 }, (_, i) => [i, i]));
  const rows: Row[] = [];
  for await (const block of ownSequence(validationStream([], [1]), leftOut, new Uint32Array()))
    rows.push(...rowsOf(block));
  expect(rows.map(({ uuid }) => uuid)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
});

describe('it is noticed that two records do not belong together', () => {
  const told = (...uuids: number[]): Told[] => uuids.map((uuid) => ({ uuid, message: [1, 2, 3] }));

  it.each<{ name: string; own: Told[]; leftOut?: [number, number][]; repeats?: number[]; says: RegExp }>([
    { name: 'a packet left out beyond the end', own: told(0, 1), leftOut: [[3, 9]], says: /packet 3 .* only 2/ },
    { name: 'a repeat beyond the end', own: told(0, 1), repeats: [2], says: /packet 2 .* only 2/ },
    { name: 'a repeat in an empty batch', own: [], repeats: [1], says: /packet 1 .* only 0/ },
    { name: 'a repeat that is the first packet', own: told(0, 0), repeats: [0], says: /packet 0 cannot be a repeat/ },
    { name: 'repeats that do not ascend', own: told(0, 0, 0), repeats: [2, 1, 2], says: /packet 1 cannot be a repeat/ },
    {
      name: 'packets left out that do not ascend',
      own: told(0, 1, 2),
      leftOut: [
        [1, 8],
        [0, 9],
      ],
      says: /do not ascend at 0/,
    },
    {
      name: 'a repeat left out whose first is not there',
      own: told(0, 1),
      leftOut: [[1, 9]],
      repeats: [1],
      says: /packet 1 was left out and repeats none/,
    },
    {
      name: 'a packet left out twice that is no repeat',
      own: told(0),
      leftOut: [
        [1, 9],
        [2, 9],
      ],
      says: /packet 2 was left out and repeats one/,
    },
    {
      name: 'a message about a packet that was left out',
      own: told(0, 1),
      leftOut: [[1, 1]],
      repeats: [2],
      says: /packet 2 has a message/,
    },
    {
      name: 'a value that is no u32',
      own: [...told(0), { uuid: 1, message: undefined }],
      says: /about packet 1 is out of/,
    },
    {
      name: 'a value that is no element',
      own: [...told(0), { uuid: 1, message: [0, P, 0] }],
      says: /about packet 1 is out of/,
    },
  ])('$name', async ({ own, leftOut = [], repeats = [], says }) => {
    const record = validationStream([...own], [1]);
    const sequence = ownSequence(record, leftOutOf(leftOut), Uint32Array.from(repeats));
    const failure = await drained(sequence).catch((err: unknown) => err);
    expect(failure).toMatchObject({ code: 'E_OWN_VALIDATION', message: expect.stringMatching(says) });
    expect(record.isAtEnd).toBe(true);
  });
});
