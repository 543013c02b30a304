import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToldMessages } from '../../../facilitator/join/told-messages.ts';
import { packets, sizes } from './batches.ts';
import { firstOf, toldAbout } from './model.ts';
import { cut, numbersOf, openedBlock, validationStream, type Packet, type Told } from './packets.ts';

function toldBy(list: readonly Packet[], blockSizes: readonly number[] = [8]): { told: ToldMessages; marks: number[] } {
  const told = new ToldMessages();
  const marks = cut(list, blockSizes).flatMap((piece) => [...told.addBlock(openedBlock(piece))]);
  return { told, marks };
}

function written(told: ToldMessages): Told[] {
  return [...told.blocks()].flatMap(({ count, uuids, messages }) => {
    expect([uuids.length, messages.length]).toEqual([16 * count, 3 * count]);
    return numbersOf(uuids).map((uuid, row) => {
      const [f, g, h] = messages.subarray(3 * row);
      return { uuid, message: [f!, g!, h!] as const };
    });
  });
}

describe('what intake tells', () => {
  it('is the message of each packet’s first, as often as one asks', () => {
    fc.assert(
      fc.property(packets, sizes, (list, blockSizes) => {
        const { told, marks } = toldBy(list, blockSizes);
        const messages = toldAbout(list);
        expect(written(told)).toEqual(messages);
        expect(written(told)).toEqual(messages);
        expect(told).toMatchObject({ packets: list.length, messages: messages.length });

        const firsts = firstOf(list);
        expect(told.distinctPackets).toBe(firsts.size);
        const isRepeat = list.map(({ uuid }, i) => list.findIndex((packet) => packet.uuid === uuid) < i);
        expect(marks.map(Boolean)).toEqual(isRepeat);
        expect([...told.repeats]).toEqual(isRepeat.flatMap((is, i) => (is ? [i] : [])));
        const leftOut = list.flatMap(({ uuid }, i) => (firsts.get(uuid) ? [] : [[i, uuid]]));
        expect([...told.leftOut.positions]).toEqual(leftOut.map(([position]) => position));
        expect(numbersOf(told.leftOut.uuids)).toEqual(leftOut.map(([, uuid]) => uuid));
      }),
      { numRuns: 500 },
    );
  });

  it.each([4095, 4096, 4097, 10_000])('is the same for %i packets that are all different', (count) => {
    const list = Array.from({ length: count }, (_, i): Packet => ({ uuid: i, message: [i, 2 ** 32 - 1 - i, 7] }));
    expect(written(toldBy(list, [1000, 1]).told)).toEqual(toldAbout(list));
  });

  it('is the same for many packets, of which every tenth repeats one and every seventh says nothing', () => {
    const list = Array.from({ length: 40_000 }, (_, i): Packet => {
      const uuid = i % 10 === 9 ? i >> 1 : i;
      return { uuid, message: i % 7 === 6 ? undefined : [i, 2 ** 32 - 1 - i, 7] };
    });
    const { told } = toldBy(list, [1000, 1]);
    expect(written(told)).toEqual(toldAbout(list));
    expect(told.repeats.length).toBeGreaterThan(1000);
  });
});

describe('the first difference from what was told before', () => {
  const edited = packets.chain((list) => {
    const told = toldAbout(list);
    const edit = fc.record({
      at: fc.nat(Math.max(told.length - 1, 0)),
      kind: fc.constantFrom('other', 'gone', 'range', 'foreign'),
    });
    return fc.record({ list: fc.constant(list), edits: fc.array(edit, { maxLength: 2 }) });
  });

  it('is a UUID about which the two say different things, in whatever order and blocks', async () => {
    await fc.assert(
      fc.asyncProperty(edited, sizes, fc.boolean(), async ({ list, edits }, blockSizes, isReversed) => {
        const before = toldAbout(list);
        for (const { at, kind } of edits) {
          const one = before[at];
          if (!one?.message) continue;
          const [f, g, h] = one.message;
          if (kind === 'other') before[at] = { uuid: one.uuid, message: [f, g, (h + 1) % 2 ** 32] };
          if (kind === 'range') before[at] = { uuid: one.uuid, message: undefined };
          if (kind === 'gone') before.splice(at, 1);
          if (kind === 'foreign') before.splice(at, 0, { uuid: 1000, message: one.message });
        }
        if (isReversed) before.reverse();
        const differing = differingUuids(before, list);
        const stream = validationStream(before, blockSizes);
        const found = await toldBy(list).told.firstDifference(stream);
        expect(found && numbersOf(found)[0]).toBe(differing[0]);
        expect(stream.isAtEnd).toBe(true);
      }),
      { numRuns: 800 },
    );
  });

  it('is none if only a later message about a UUID differs', async () => {
    const { told } = toldBy([{ uuid: 5, message: [1, 2, 3] }]);
    const before: Told[] = [
      { uuid: 5, message: [1, 2, 3] },
      { uuid: 5, message: [1, 2, 4] },
    ];
    expect(await told.firstDifference(validationStream(before, [1]))).toBeUndefined();
    expect(await told.firstDifference(validationStream(before.toReversed(), [1]))).toBeDefined();
  });
});

/** First those that were told, in order, then those that were not. */
function differingUuids(before: readonly Told[], now: readonly Packet[]): number[] {
  const told = firstOf(before);
  const firsts = firstOf(now);
  const isSame = (uuid: number): boolean =>
    told.has(uuid)
      ? told.get(uuid) !== undefined && String(told.get(uuid)) === String(firsts.get(uuid))
      : !firsts.get(uuid);
  return [...new Set([...told.keys(), ...firsts.keys()])].filter((uuid) => !isSame(uuid));
}
