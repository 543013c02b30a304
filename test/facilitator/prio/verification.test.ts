import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitContribution } from '../../../facilitator/prio/client.ts';
import { add, P, pow } from '../../../facilitator/prio/field.ts';
import { MAX_BINS, shareLayout } from '../../../facilitator/prio/layout.ts';
import { principalRoot } from '../../../facilitator/prio/roots.ts';
import { unpackShare } from '../../../facilitator/prio/share.ts';
import { accumulate, reconstruct } from '../../../facilitator/prio/sum.ts';
import { isValidProof, ShareEvaluator, type VerificationMessage } from '../../../facilitator/prio/verification.ts';
import { naiveMessage, seededRandom } from '../../support/prio.ts';

const R = 998314904;

/** Two servers' unpacked shares of one contribution. */
function shares(data: readonly number[], label: string): [Uint32Array, Uint32Array] {
  const layout = shareLayout(data.length);
  const { first, second } = splitContribution(data, seededRandom(label));
  return [unpackShare(first, layout, true), unpackShare(second, layout, false)];
}

function messages(
  [first, second]: [Uint32Array, Uint32Array],
  bins: number,
  r = R,
): [VerificationMessage, VerificationMessage] {
  const layout = shareLayout(bins);
  const a = new ShareEvaluator(layout, true).evaluate(first, r);
  const b = new ShareEvaluator(layout, false).evaluate(second, r);
  if (!a || !b) throw new Error('r is a root of unity');
  return [a, b];
}

describe('share layout', () => {
  it.each([
    [1, 2, 6],
    [2, 4, 9],
    [3, 4, 10],
    [10, 16, 29],
    [15, 16, 34],
    [16, 32, 51],
    [256, 512, 771],
    [MAX_BINS, 2 ** 19, MAX_BINS + 3 + 2 ** 19],
  ])('of %i bins has %i points and %i elements', (bins, points, length) => {
    expect(shareLayout(bins)).toEqual({ bins, points, length });
  });

  it.each([0, -1, MAX_BINS + 1, 2 ** 31 - 1, -(2 ** 31), 1.5, NaN])('refuses %d bins', (bins) => {
    expect(() => shareLayout(bins)).toThrow(expect.objectContaining({ code: 'E_BINS', fate: 'reject' }));
  });
});

describe('verification messages', () => {
  it('equal the definition by interpolation, for both servers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: P - 1 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.string(),
        (data, rPit, label) => {
          const bins = data.length;
          const [first, second] = shares(data, label);
          const r = rPit % P;
          fc.pre(pow(r, 2 * shareLayout(bins).points) !== 1);
          expect(messages([first, second], bins, rPit)).toEqual([
            naiveMessage(first, bins, r, true),
            naiveMessage(second, bins, r, false),
          ]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('do not depend on the points evaluated before', () => {
    const layout = shareLayout(20);
    const [share] = shares(
      Array.from({ length: 20 }, (_, k) => k % 2),
      'cache',
    );
    const evaluator = new ShareEvaluator(layout, true);
    const root = principalRoot(2 * layout.points);
    const fresh = (r: number): unknown => new ShareEvaluator(layout, true).evaluate(share, r);
    for (const r of [R, 5, R, R, root, R, 5, 0, root, root, 7]) expect(evaluator.evaluate(share, r)).toEqual(fresh(r));
  });

  it.each([1, 2, 7, 20, 123])('are refused at every 2N-th root of unity, for %i bins', (bins) => {
    const layout = shareLayout(bins);
    const [share] = shares(
      Array.from({ length: bins }, () => 1),
      'roots',
    );
    const evaluator = new ShareEvaluator(layout, true);
    const root = principalRoot(2 * layout.points);
    for (let i = 0; i < 2 * layout.points; i++) expect(evaluator.evaluate(share, pow(root, i))).toBeUndefined();
    expect(evaluator.evaluate(share, P + 1)).toBeUndefined();
    expect(evaluator.evaluate(share, 0)).toBeDefined();
    expect(evaluator.evaluate(share, principalRoot(4 * layout.points))).toBeDefined();
  });

  it('prove a vector of zeros and ones, at any point, and its shares add up to it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.string(),
        (data, r, label) => {
          fc.pre(pow(r % P, 2 * shareLayout(data.length).points) !== 1);
          const pair = shares(data, label);
          expect(isValidProof(...messages(pair, data.length, r))).toBe(true);
          const sums = pair.map((share) => {
            const sum = new Uint32Array(data.length);
            accumulate(sum, share);
            return sum;
          }) as [Uint32Array, Uint32Array];
          expect([...reconstruct(...sums)]).toEqual(data);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('prove the widest vector there is', () => {
    const data = Array.from({ length: MAX_BINS }, (_, k) => (k % 3 === 0 ? 1 : 0));
    expect(isValidProof(...messages(shares(data, 'widest'), MAX_BINS))).toBe(true);
  });
});

describe('tweaks at 123 bins', () => {
  const bins = 123;
  const data = Array.from({ length: bins }, (_, k) => (k * 7) % 2);
  const tweakShare = (index: number) => (): boolean => {
    const [first, second] = shares(data, 'tweak');
    first[index] = add(first[index]!, 1);
    return isValidProof(...messages([first, second], bins));
  };
  const tweakMessage = (part: keyof VerificationMessage) => (): boolean => {
    const [a, b] = messages(shares(data, 'tweak'), bins);
    return isValidProof({ ...a, [part]: add(a[part], 1) }, b);
  };

  it.each<[string, boolean, () => boolean]>([
    ['nothing', true, () => isValidProof(...messages(shares(data, 'tweak'), bins))],
    ['the input (a 2)', false, () => isValidProof(...messages(shares(data.with(5, 2), 'tweak'), bins))],
    ['a data element', false, tweakShare(0)],
    ['f0', false, tweakShare(bins)],
    ['g0', false, tweakShare(bins + 1)],
    ['h0', false, tweakShare(bins + 2)],
    ['the first point of h', false, tweakShare(bins + 3)],
    ['the last point of h', false, tweakShare(bins + 3 + 127)],
    ['f(r)', false, tweakMessage('f_r')],
    ['g(r)', false, tweakMessage('g_r')],
    ['h(r)', false, tweakMessage('h_r')],
  ])('of %s leave the proof valid: %s', (_, valid, check) => {
    expect(check()).toBe(valid);
  });
});

describe('a share', () => {
  const layout = shareLayout(10);

  it.each([
    ['of the first server, one element short', new Uint8Array(4 * 28), true],
    ['of the first server, one byte long', new Uint8Array(4 * 29 + 1), true],
    ['of the first server, with an element that is p', new Uint8Array(new Uint32Array(29).fill(P).buffer), true],
    ['of the second server, one byte short', new Uint8Array(31), false],
    ['of the second server, that is meant for the first', new Uint8Array(4 * 29), false],
  ])('%s is malformed', (_, plain, isFirst) => {
    expect(() => unpackShare(plain, layout, isFirst)).toThrow(
      expect.objectContaining({ code: 'E_PACKET_MALFORMED', fate: 'reject' }),
    );
  });

  it('may hold p - 1', () => {
    const share = unpackShare(new Uint8Array(new Uint32Array(29).fill(P - 1).buffer), layout, true);
    expect(new Set(share)).toEqual(new Set([P - 1]));
  });
});

it('sum parts of different lengths are not added', () => {
  expect(() => reconstruct([1, 2], [1])).toThrow(RangeError);
});
