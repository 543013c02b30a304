import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, type Judgement } from '../../../facilitator/join/judge.ts';
import type { LeftOutPackets, OwnBlock } from '../../../facilitator/join/own-block.ts';
import { ownSequence } from '../../../facilitator/join/own-sequence.ts';
import { ToldMessages } from '../../../facilitator/join/told-messages.ts';
import { bothServers, packets, sizes } from './batches.ts';
import { judgeNaively, toldAbout, type ModelJudgement } from './model.ts';
import { BlockStream, cut, numbersOf, openedBlock, validationStream, type Packet, type Told } from './packets.ts';

/** Our packets as aggregate has them after opening them. */
function opened(own: readonly Packet[], blockSizes: readonly number[]): { blocks: OwnBlock[]; told: ToldMessages } {
  const told = new ToldMessages();
  const blocks = cut(own, blockSizes)
    .map(openedBlock)
    .map((block) => ({ ...block, repeat: told.addBlock(block) }));
  return { blocks, told };
}

const plain = (judgement: Judgement): ModelJudgement => {
  const { packets, distinctPackets, summed, withoutPeer, proofFailed, repeats, outOfRange } = judgement;
  const counts = { packets, distinctPackets, summed, withoutPeer, proofFailed, repeats };
  const invalid = [...judgement.invalidUuids.rows()].flatMap(numbersOf);
  return { ...counts, failing: [...judgement.failing], invalid, outOfRange: outOfRange && numbersOf(outOfRange)[0] };
};

describe('the judgement of a batch', () => {
  it('is that of the model, from packets just opened and from our validation batch', async () => {
    await fc.assert(
      fc.asyncProperty(bothServers, sizes, sizes, async ({ own, peer }, ownSizes, peerSizes) => {
        const want = judgeNaively(own, peer);
        const { blocks, told } = opened(own, ownSizes);
        const peerStream = validationStream(peer, peerSizes);
        const ownStream = new BlockStream(blocks);
        expect(plain(await judge(ownStream, peerStream))).toEqual(want);
        expect([ownStream.isAtEnd, peerStream.isAtEnd]).toEqual([true, true]);

        const record = validationStream(toldAbout(own), ownSizes);
        const sequence = ownSequence(record, told.leftOut, told.repeats);
        expect(plain(await judge(sequence, validationStream(peer, peerSizes)))).toEqual(want);
        expect(record.isAtEnd).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  it('needs no table if the peer says in our order what it should, about repeats too or not', async () => {
    await fc.assert(
      fc.asyncProperty(packets, sizes, sizes, fc.boolean(), async (own, ownSizes, peerSizes, isRepeated) => {
        const seen = new Set<number>();
        const peer = toldAbout(own).filter(({ uuid }) => isRepeated || (!seen.has(uuid) && seen.add(uuid)));
        const { isInOrder } = await judge(
          new BlockStream(opened(own, ownSizes).blocks),
          validationStream(peer, peerSizes),
        );
        expect(isInOrder).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

const ours: readonly Packet[] = [0, 1, 2, 1].map((uuid) => ({ uuid, message: [1, 2, 3] }));
// (1 + 1)·(2 + 1) = 3 + 3
const theirs: readonly Told[] = [0, 1, 2, 1].map((uuid) => ({ uuid, message: [1, 1, 3] }));
const ownStream = (): BlockStream<OwnBlock> => new BlockStream(opened(ours, [2]).blocks);

describe('a batch of three packets and a repeat', () => {
  it.each<{ name: string; peer: readonly Told[]; want: Partial<ModelJudgement>; isInOrder: boolean }>([
    { name: 'all is well', peer: theirs, want: { summed: 3, invalid: [], failing: [] }, isInOrder: true },
    {
      name: 'nothing was said',
      peer: [],
      want: { summed: 0, invalid: [0, 1, 2, 1], failing: [0, 1, 2] },
      isInOrder: true,
    },
    {
      name: 'the last is missing',
      peer: theirs.slice(0, 2),
      want: { summed: 2, withoutPeer: 1, invalid: [2], failing: [2] },
      isInOrder: true,
    },
    {
      name: 'one is missing',
      peer: theirs.filter(({ uuid }) => uuid !== 1),
      want: { summed: 2, withoutPeer: 1, proofFailed: 0, invalid: [1, 1], failing: [1] },
      isInOrder: false,
    },
    {
      name: 'one is false',
      peer: theirs.map((told) => (told.uuid === 1 ? { uuid: 1, message: [1, 1, 4] } : told)),
      want: { summed: 2, withoutPeer: 0, proofFailed: 1, invalid: [1], failing: [1] },
      isInOrder: true,
    },
    {
      name: 'the second message about one is false',
      peer: [...theirs.slice(0, 3), { uuid: 1, message: [1, 1, 4] }],
      want: { summed: 3, invalid: [] },
      isInOrder: true,
    },
    {
      name: 'a message used up before the order was lost is contradicted after it',
      peer: [theirs[0]!, theirs[1]!, { uuid: 0, message: undefined }, { uuid: 1, message: [0, 0, 9] }, theirs[2]!],
      want: { summed: 3, invalid: [], outOfRange: undefined },
      isInOrder: false,
    },
    {
      name: 'two are out of range, the later one first',
      peer: [{ uuid: 2, message: undefined }, { uuid: 1, message: undefined }, theirs[0]!],
      want: { summed: 1, outOfRange: 1, invalid: [], failing: [1, 2] },
      isInOrder: false,
    },
  ])('$name', async ({ peer, want, isInOrder }) => {
    const judgement = await judge(ownStream(), validationStream(peer, [3]));
    expect(plain(judgement)).toMatchObject({ packets: 4, distinctPackets: 3, repeats: 1, ...want });
    expect(judgement.isInOrder).toBe(isInOrder);
  });

  it('a message of ours that nobody may have is never held against the peer’s', async () => {
    const own = ours.map((packet) => (packet.uuid === 1 ? { uuid: 1, message: undefined } : packet));
    const peer = theirs.map((told) => (told.uuid === 1 ? { uuid: 1, message: undefined } : told));
    const judgement = await judge(new BlockStream(opened(own, [4]).blocks), validationStream(peer, [4]));
    expect(plain(judgement)).toMatchObject({ withoutPeer: 1, outOfRange: undefined, invalid: [1, 1], failing: [] });
  });
});

describe('a stream that fails', () => {
  const failing = async function* <T>(blocks: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    yield* blocks;
    throw new Error('digest mismatch');
  };

  it('of ours fails the judgement, and the peer’s is let go', async () => {
    const peer = validationStream(theirs, [1]);
    await expect(judge(failing(ownStream()), peer)).rejects.toThrow('digest mismatch');
    expect(peer.isClosed).toBe(true);
  });

  it.each([theirs, theirs.toReversed()])('of the peer fails the judgement, and ours is let go', async (...peer) => {
    const own = ownStream();
    await expect(judge(own, failing(validationStream(peer, [1])))).rejects.toThrow('digest mismatch');
    expect(own.isClosed).toBe(true);
  });

  it('of the peer fails the judgement of a batch that needs nothing of it', async () => {
    const none: LeftOutPackets = { positions: new Uint32Array(), uuids: new Uint8Array() };
    const own = ownSequence(validationStream([], [1]), none, new Uint32Array());
    await expect(judge(own, failing(validationStream(theirs, [1])))).rejects.toThrow('digest mismatch');
  });
});
