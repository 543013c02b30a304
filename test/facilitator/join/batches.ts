import * as fc from 'fast-check';
import { add, mul, P, sub } from '../../../facilitator/prio/field.ts';
import { toldAbout } from './model.ts';
import type { Message, Packet, Told } from './packets.ts';

/* Batches as two servers may have them. */

const UUIDS = 12;

const element = fc.oneof(fc.integer({ min: 0, max: P - 1 }), fc.constantFrom(0, 1, 2 ** 31, P - 1));
const message = fc.tuple(element, element, element);

/** Repeats, and packets about which nothing may be said, among others. */
export const packets: fc.Arbitrary<Packet[]> = fc.oneof(
  fc.array(fc.record({ uuid: fc.nat(UUIDS), message: fc.option(message, { nil: undefined, freq: 6 }) }), {
    maxLength: 30,
  }),
  // Mostly one after the other, as they should be.
  fc
    .array(fc.record({ repeats: fc.nat(9), message: fc.option(message, { nil: undefined, freq: 8 }) }), {
      maxLength: 30,
    })
    .map((list) => list.map(({ repeats, message }, i) => ({ uuid: repeats === 0 ? i >> 1 : i, message }))),
);

export const sizes: fc.Arbitrary<number[]> = fc
  .array(fc.nat(7), { minLength: 1, maxLength: 4 })
  .filter((list) => list.some((size) => size > 0));

/** What the peer says where it should say that our packet is valid. */
const EDITS = ['valid', 'wrapped', 'false', 'outOfRange', 'dropped', 'twice', 'foreign', 'stray'] as const;

const edit = fc.oneof({ weight: 30, arbitrary: fc.constant('valid' as const) }, fc.constantFrom(...EDITS));
const order = fc.oneof(
  { weight: 3, arbitrary: fc.constant('same' as const) },
  fc.constantFrom('reversed' as const, 'rotated' as const),
);

export interface BothServers {
  readonly own: Packet[];
  readonly peer: Told[];
}

/** Our packets and what the peer says about its own: the same in the same order, or less, more, other, elsewhere. */
export const bothServers: fc.Arbitrary<BothServers> = packets.chain((own) => {
  const base = toldAbout(own);
  return fc
    .record({
      edits: fc.array(fc.tuple(edit, fc.nat(UUIDS)), { minLength: base.length, maxLength: base.length }),
      isRepeated: fc.boolean(),
      swap: fc.option(fc.nat({ max: 29 })),
      order,
    })
    .map(({ edits, isRepeated, swap, order }) => {
      const answered = isRepeated ? base : base.filter(({ uuid }, i) => base.findIndex((b) => b.uuid === uuid) === i);
      const peer = answered.flatMap((told, i) => answers(told, ...edits[i]!));
      if (swap !== null && swap + 1 < peer.length) peer.splice(swap, 2, peer[swap + 1]!, peer[swap]!);
      if (order === 'reversed') peer.reverse();
      if (order === 'rotated') peer.push(...peer.splice(0, peer.length >> 1));
      return { own, peer };
    });
});

function answers({ uuid, message }: Told, edit: (typeof EDITS)[number], other: number): Told[] {
  // Only what has a message was told.
  const [f, g, h] = answer(message!);
  const valid: Told = { uuid, message: [f, g, h] };
  const wrap = (value: number): number => (value + P < 2 ** 32 ? value + P : value);
  const edited: Record<typeof edit, Told[]> = {
    valid: [valid],
    wrapped: [{ uuid, message: [wrap(f), wrap(g), wrap(h)] }],
    false: [{ uuid, message: [f, g, add(h, 1)] }],
    outOfRange: [{ uuid, message: undefined }],
    dropped: [],
    twice: [valid, { uuid, message: [1, 2, 3] }],
    foreign: [{ ...valid, uuid: 1000 + other }, valid],
    stray: [{ uuid: other, message: undefined }, valid],
  };
  return edited[edit];
}

/** What makes the proof of a packet hold whose message is ours. */
function answer([f, g, h]: Message): Message {
  const [theirF, theirG] = [f < 9 ? f : sub(7, f), 5];
  return [theirF, theirG, sub(mul(add(f, theirF), add(g, theirG)), h)];
}
