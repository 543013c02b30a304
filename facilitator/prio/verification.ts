import { add, inverse, mul, pow, reduce, sub } from './field.ts';
import type { ShareLayout } from './layout.ts';
import { powersOfRoot } from './roots.ts';

/** A server's verification message: its shares of f, g and h at the evaluation point, each in [0, p). */
export interface VerificationMessage {
  readonly f_r: number;
  readonly g_r: number;
  readonly h_r: number;
}

/**
 * Whether the two servers' messages prove that the shared data is a vector of zeros and ones:
 * f(r)·g(r) = h(r). Source: docs/protocol.md, "The proof check".
 */
export function isValidProof(a: VerificationMessage, b: VerificationMessage): boolean {
  return mul(add(a.f_r, b.f_r), add(a.g_r, b.g_r)) === add(a.h_r, b.h_r);
}

/**
 * Evaluates shares of one layout. Polynomials are given by their values at roots of unity, so their value at r is a
 * weighted sum (barycentric form): weight of w^j is (r^n - 1)/n · w^j/(r - w^j). The weights depend on r only and are
 * kept for the next packet, which often has the same r. Source: docs/protocol.md, "Verification message".
 */
export class ShareEvaluator {
  readonly #layout: ShareLayout;
  readonly #isFirst: boolean;
  /** Powers of the 2N-th root; those of the N-th root are the even ones. */
  readonly #roots: Uint32Array;
  readonly #inverseOf2N: number;
  /** Weights of f0 and the data in f, at N-th roots 0 to bins. */
  readonly #low: Uint32Array;
  /** Weights of h0 and the packed points of h, at 2N-th roots 0 and 1, 3, 5 …. */
  readonly #high: Uint32Array;
  readonly #prefix: Uint32Array;
  #weightOfOnes = 0;
  #point = -1;

  constructor(layout: ShareLayout, isFirst: boolean) {
    const { bins, points } = layout;
    this.#layout = layout;
    this.#isFirst = isFirst;
    this.#roots = powersOfRoot(2 * points);
    this.#inverseOf2N = inverse(2 * points);
    this.#low = new Uint32Array(bins + 1);
    this.#high = new Uint32Array(points + 1);
    this.#prefix = new Uint32Array(bins + 1 + points);
  }

  /**
   * @param share `layout.length` field elements
   * @param rPit the packet's evaluation point, an unsigned 32-bit integer; taken modulo p
   * @returns `undefined` where r is a 2N-th root of unity: the value there would be a piece of the share itself, so
   *   nobody may be told
   */
  evaluate(share: Uint32Array, rPit: number): VerificationMessage | undefined {
    const r = reduce(rPit);
    if (r !== this.#point && !this.#moveTo(r)) return undefined;
    const { bins, points } = this.#layout;
    const low = this.#low;
    const high = this.#high;
    // The share has `layout.length` elements, the weights have bins + 1 and points + 1: no index is out of range.
    const f0 = share[bins]!;
    const g0 = share[bins + 1]!;
    let f = mul(f0, low[0]!);
    for (let k = 0; k < bins; k++) f = add(f, mul(share[k]!, low[k + 1]!));
    // g differs from f at index 0, and, for the first server, by 1 at each data index.
    let g = add(f, mul(sub(g0, f0), low[0]!));
    if (this.#isFirst) g = sub(g, this.#weightOfOnes);
    let h = mul(share[bins + 2]!, high[0]!);
    for (let j = 0; j < points; j++) h = add(h, mul(share[bins + 3 + j]!, high[j + 1]!));
    return { f_r: f, g_r: g, h_r: h };
  }

  /** Computes the weights for r; false, and no weights, if r is a 2N-th root of unity. */
  #moveTo(r: number): boolean {
    const { bins, points } = this.#layout;
    const rToN = pow(r, points);
    const rTo2N = mul(rToN, rToN);
    if (rTo2N === 1) return false;
    const highFactor = mul(sub(rTo2N, 1), this.#inverseOf2N);
    const lowFactor = mul(sub(rToN, 1), add(this.#inverseOf2N, this.#inverseOf2N));
    this.#invertDifferences(r);
    const roots = this.#roots;
    const low = this.#low;
    const high = this.#high;
    high[0] = mul(highFactor, low[0]!);
    let ones = 0;
    for (let j = 0; j <= bins; j++) {
      const weight = mul(mul(lowFactor, roots[2 * j]!), low[j]!);
      low[j] = weight;
      if (j > 0) ones = add(ones, weight);
    }
    for (let j = 0; j < points; j++) high[j + 1] = mul(mul(highFactor, roots[2 * j + 1]!), high[j + 1]!);
    this.#weightOfOnes = ones;
    this.#point = r;
    return true;
  }

  /** Puts 1/(r - w^j) into the weight arrays, with a single inversion for all of them (Montgomery's trick). */
  #invertDifferences(r: number): void {
    const { bins, points } = this.#layout;
    const roots = this.#roots;
    const prefix = this.#prefix;
    const low = this.#low;
    const high = this.#high;
    let product = 1;
    for (let j = 0; j <= bins; j++) {
      prefix[j] = product;
      low[j] = sub(r, roots[2 * j]!);
      product = mul(product, low[j]!);
    }
    for (let j = 0; j < points; j++) {
      prefix[bins + 1 + j] = product;
      high[j + 1] = sub(r, roots[2 * j + 1]!);
      product = mul(product, high[j + 1]!);
    }
    let rest = inverse(product);
    for (let j = points - 1; j >= 0; j--) {
      const difference = high[j + 1]!;
      high[j + 1] = mul(rest, prefix[bins + 1 + j]!);
      rest = mul(rest, difference);
    }
    for (let j = bins; j >= 0; j--) {
      const difference = low[j]!;
      low[j] = mul(rest, prefix[j]!);
      rest = mul(rest, difference);
    }
  }
}
