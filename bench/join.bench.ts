import { bench, describe } from 'vitest';
import { UUID_BYTES } from '../common/domain/uuid.ts';
import type { ValidationBlock } from '../facilitator/codec/record-block.ts';
import { judge } from '../facilitator/join/judge.ts';
import { ownSequence } from '../facilitator/join/own-sequence.ts';
import { ToldMessages } from '../facilitator/join/told-messages.ts';

/*
 * Joining our own and the peer's validation of a batch: divide a run's mean by the number of packets. The machine may
 * be slow or busy; the second bench against the first says what another order costs.
 */

const PACKETS = 500_000;
const RUNS = { iterations: 5, time: 0, warmupIterations: 2, warmupTime: 0 };
const NOTHING_LEFT_OUT = { positions: new Uint32Array(), uuids: new Uint8Array() };
const NO_REPEATS = new Uint32Array();

/** Rows of a batch in blocks of that many packets; a multiplier other than 1, odd, puts them in another order. */
function blocksOf(perBlock: number, multiplier: number): ValidationBlock[] {
  return Array.from({ length: PACKETS / perBlock }, (_, block) => {
    const uuids = Buffer.alloc(UUID_BYTES * perBlock);
    const messages = new Uint32Array(3 * perBlock);
    for (let row = 0; row < perBlock; row++) {
      const packet = ((block * perBlock + row) * multiplier) % PACKETS;
      for (let word = 0; word < 4; word++) {
        uuids.writeInt32LE(Math.imul(packet + 1, 0x9e3779b1 + 2 * word), UUID_BYTES * row + 4 * word);
      }
      // (f + f)·(g + g) = h + h
      messages.set([packet, 3_000_000, (2 * packet * 3_000_000) % 4293918721], 3 * row);
    }
    return { count: perBlock, uuids, messages, inRange: new Uint8Array(perBlock).fill(1) };
  });
}

async function* stream<T>(blocks: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* blocks;
}

const own = blocksOf(1000, 1);

describe(`judging ${PACKETS} packets`, () => {
  for (const [name, peer] of [
    ['in the same order', blocksOf(800, 1)],
    ['in another order', blocksOf(800, 7919)],
  ] as const) {
    bench(
      name,
      async () => {
        const { summed } = await judge(ownSequence(stream(own), NOTHING_LEFT_OUT, NO_REPEATS), stream(peer));
        if (summed !== PACKETS) throw new Error(`${summed} packets are summed`);
      },
      RUNS,
    );
  }
});

describe(`what is told about ${PACKETS} packets`, () => {
  const opened = own.map(({ inRange, ...block }) => ({ ...block, told: inRange }));
  const toldBefore = new ToldMessages();
  for (const block of opened) toldBefore.addBlock(block);

  bench(
    'is collected',
    () => {
      const told = new ToldMessages();
      for (const block of opened) told.addBlock(block);
    },
    RUNS,
  );
  bench(
    'is given as blocks',
    () => {
      for (const _ of toldBefore.blocks());
    },
    RUNS,
  );
  bench(
    'is compared with what was told before',
    async () => {
      await toldBefore.firstDifference(stream(own));
    },
    RUNS,
  );
});
