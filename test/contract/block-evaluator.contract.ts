import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecryptionKeys } from '../../facilitator/crypto/keys.ts';
import type { BlockEvaluator } from '../../facilitator/prio/block-evaluator.ts';
import { P, pow } from '../../facilitator/prio/field.ts';
import { MAX_BINS, shareLayout, type ShareLayout } from '../../facilitator/prio/layout.ts';
import { principalRoot } from '../../facilitator/prio/roots.ts';
import { unpackShare } from '../../facilitator/prio/share.ts';
import { accumulate } from '../../facilitator/prio/sum.ts';
import { ShareEvaluator } from '../../facilitator/prio/verification.ts';
import { naiveMessage } from '../support/prio.ts';
import { MALFORMED, plainShares, points, SERVERS } from '../support/shares.ts';
import vector from '../vectors/packet.json' with { type: 'json' };

export type MakeBlockEvaluator = (layout: ShareLayout, isFirst: boolean) => BlockEvaluator;

/** What is loaded, where it is evaluated, and whether it is chosen for the sum. */
interface Packet {
  readonly plain: Uint8Array;
  readonly rPit: number;
  readonly isChosen: boolean;
}

/** Registers the contract of `BlockEvaluator`: the results, element for element, of the functions for one packet. */
export function blockEvaluatorContract(name: string, make: MakeBlockEvaluator): void {
  describe(`${name} evaluator`, () => {
    it.each(SERVERS)('agrees with the functions for one packet, block after block, for the %s server', (_, isFirst) => {
      const block = (layout: ShareLayout): fc.Arbitrary<Packet[]> =>
        fc.array(fc.record({ plain: plainShares(layout, isFirst), rPit: points(layout), isChosen: fc.boolean() }), {
          maxLength: 4,
        });
      const blocks = fc.integer({ min: 1, max: 300 }).chain((bins) => {
        const layout = shareLayout(bins);
        return fc.tuple(fc.constant(layout), fc.array(block(layout), { minLength: 1, maxLength: 3 }));
      });
      fc.assert(
        fc.property(blocks, ([layout, blocks]) => {
          const evaluator = make(layout, isFirst);
          for (const packets of blocks) expectAgreement(evaluator, isFirst, packets);
        }),
        { numRuns: 100 },
      );
    });

    it.each(
      [4000, 4095, 4096, MAX_BINS].flatMap((bins) => SERVERS.map(([server, isFirst]) => ({ bins, server, isFirst }))),
    )('agrees with them at $bins bins, for the $server server', ({ bins, isFirst }) => {
      const layout = shareLayout(bins);
      const [plain] = fc.sample(plainShares(layout, isFirst), { numRuns: 1, seed: bins });
      // There is one sample.
      const packet = { plain: plain!, rPit: 998314904, isChosen: true };
      expectAgreement(make(layout, isFirst), isFirst, [packet]);
    });

    it.each(SERVERS)('agrees with the definition by interpolation, for the %s server', (_, isFirst) => {
      for (const bins of [1, 2, 3, 7, 8, 20]) {
        const layout = shareLayout(bins);
        const evaluator = make(layout, isFirst);
        for (const plain of fc.sample(plainShares(layout, isFirst), { numRuns: 3, seed: bins })) {
          evaluator.load(0, plain);
          const { f_r, g_r, h_r } = naiveMessage(unpackShare(plain, layout, isFirst), bins, 998314904, isFirst);
          expect([...evaluator.evaluate(Uint32Array.of(998314904)).messages]).toEqual([f_r, g_r, h_r]);
        }
      }
    });

    it.each([
      ['first', true, vector.pha],
      ['second', false, vector.facilitator],
    ] as const)('says of the reference’s packet what the reference says, as the %s server', (_, isFirst, side) => {
      const evaluator = make(shareLayout(vector.bins), isFirst);
      const [decryptor] = parseDecryptionKeys(side.key, 'key');
      // The vector's payload opens under its key.
      evaluator.load(0, decryptor!.decrypt(Buffer.from(side.payload, 'base64'))!);
      const { f_r, g_r, h_r } = side.message;
      expect([...evaluator.evaluate(Uint32Array.of(vector.r_pit)).messages]).toEqual([f_r, g_r, h_r]);
    });

    it('fills a block to its capacity, and keeps what it says and what it is given', () => {
      const layout = shareLayout(300);
      const evaluator = make(layout, false);
      const seeds = Array.from({ length: evaluator.capacity }, (_, i) => new Uint8Array(32).fill(i % 251));
      const packets = seeds.map((plain, i) => ({ plain, rPit: 1_000_000 + (i >> 2), isChosen: i % 3 > 0 }));
      for (const [i, { plain }] of packets.entries()) evaluator.load(i, plain);
      for (const seed of seeds) seed.fill(0);
      const said = evaluator.evaluate(Uint32Array.from(packets, ({ rPit }) => rPit));
      const kept = structuredClone(said);
      expect(said.messages.some((element) => element !== 0)).toBe(true);
      evaluator.evaluate(new Uint32Array(packets.length));
      expect(said).toEqual(kept);
    });

    it('says nothing at the 2N-th roots of unity, and something beside them', () => {
      const layout = shareLayout(20);
      const { points } = layout;
      const evaluator = make(layout, true);
      const rPits = Uint32Array.from({ length: 2 * points }, (_, i) => pow(principalRoot(2 * points), i));
      const plain = new Uint8Array(4 * layout.length).fill(7);
      for (const i of rPits.keys()) evaluator.load(i, plain);
      expect(evaluator.evaluate(rPits)).toEqual({
        messages: new Uint32Array(6 * points),
        told: new Uint8Array(2 * points),
      });
      const beside = Uint32Array.of(1, P + 1, 0, P, 0, P - 1, principalRoot(4 * points), 2);
      expect([...evaluator.evaluate(beside).told]).toEqual([0, 0, 1, 1, 1, 0, 1, 1]);
    });

    it.each(MALFORMED)('refuses $what as unpackShare does, and goes on', ({ isFirst, plain }) => {
      const layout = shareLayout(10);
      const evaluator = make(layout, isFirst);
      const refusal = thrownBy(() => unpackShare(plain, layout, isFirst));
      expect(refusal).toMatchObject({ code: 'E_PACKET_MALFORMED' });
      expect(thrownBy(() => evaluator.load(0, plain))).toEqual(refusal);
      const sound = isFirst ? new Uint8Array(4 * layout.length).fill(1) : new Uint8Array(32).fill(1);
      expectAgreement(evaluator, isFirst, [{ plain: sound, rPit: 5, isChosen: true }]);
    });

    it('refuses places that a block has not', () => {
      const layout = shareLayout(MAX_BINS);
      const evaluator = make(layout, false);
      expect(evaluator.capacity).toBe(1);
      evaluator.load(0, new Uint8Array(32));
      for (const index of [-1, 1]) expect(() => evaluator.load(index, new Uint8Array(32))).toThrow(RangeError);
      expect(() => evaluator.evaluate(new Uint32Array(2))).toThrow(RangeError);
      expect(() => evaluator.accumulate(new Uint8Array(2).fill(1), new Uint32Array(MAX_BINS))).toThrow(RangeError);
    });
  });
}

/** Loads and evaluates the block, adds the chosen shares to a sum, and compares both with what single packets give. */
function expectAgreement(evaluator: BlockEvaluator, isFirst: boolean, packets: readonly Packet[]): void {
  const { layout } = evaluator;
  const model = new ShareEvaluator(layout, isFirst);
  const messages: number[] = [];
  const told: number[] = [];
  const sum = new Uint32Array(layout.bins).fill(P - 3);
  const expectedSum = sum.slice();
  for (const [i, { plain, rPit, isChosen }] of packets.entries()) {
    evaluator.load(i, plain);
    const share = unpackShare(plain, layout, isFirst);
    const message = model.evaluate(share, rPit);
    messages.push(message?.f_r ?? 0, message?.g_r ?? 0, message?.h_r ?? 0);
    told.push(message ? 1 : 0);
    if (isChosen) accumulate(expectedSum, share);
  }
  const said = evaluator.evaluate(Uint32Array.from(packets, ({ rPit }) => rPit));
  expect([...said.messages]).toEqual(messages);
  expect([...said.told]).toEqual(told);
  evaluator.accumulate(
    Uint8Array.from(packets, ({ isChosen }) => (isChosen ? 1 : 0)),
    sum,
  );
  // Not element by element through vitest, which takes long for half a million.
  expect(Buffer.compare(Buffer.from(sum.buffer), Buffer.from(expectedSum.buffer))).toBe(0);
}

function thrownBy(act: () => void): unknown {
  try {
    act();
  } catch (err) {
    return err;
  }
  return undefined;
}
