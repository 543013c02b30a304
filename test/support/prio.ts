import { createHash } from 'node:crypto';
import { add, inverse, mul, pow, sub } from '../../facilitator/prio/field.ts';
import { shareLayout } from '../../facilitator/prio/layout.ts';
import { principalRoot } from '../../facilitator/prio/roots.ts';
import type { VerificationMessage } from '../../facilitator/prio/verification.ts';

/** A reproducible source of bytes: SHA-256 in counter mode over a label. For tests only. */
export function seededRandom(label: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => {
    const chunks: Buffer[] = [];
    for (let have = 0; have < length; have += 32) {
      chunks.push(createHash('sha256').update(`${label} ${counter++}`).digest());
    }
    return Buffer.concat(chunks).subarray(0, length);
  };
}

/** The polynomial through `values` at w_n^0 … w_n^(n-1), evaluated at r: n^-1 Σ y_j w^-jk and Horner, in O(n^2). */
export function naiveEvaluate(values: readonly number[], r: number): number {
  const n = values.length;
  const backwards = inverse(principalRoot(n));
  const scale = inverse(n);
  const coefficients = values.map((_, k) =>
    mul(
      scale,
      values.reduce((sum, y, j) => add(sum, mul(y, pow(backwards, j * k))), 0),
    ),
  );
  return coefficients.reduceRight((value, c) => add(mul(value, r), c), 0);
}

/** The verification message as the definition has it: all points of f, g and h, interpolated. */
export function naiveMessage(share: ArrayLike<number>, bins: number, r: number, isFirst: boolean): VerificationMessage {
  const { points } = shareLayout(bins);
  const elements = Array.from(share);
  const data = elements.slice(0, bins);
  const [f0, g0, h0] = elements.slice(bins, bins + 3) as [number, number, number];
  const packed = elements.slice(bins + 3);
  const unused = Array.from({ length: points - bins - 1 }, () => 0);
  return {
    f_r: naiveEvaluate([f0, ...data, ...unused], r),
    g_r: naiveEvaluate([g0, ...data.map((d) => sub(d, isFirst ? 1 : 0)), ...unused], r),
    h_r: naiveEvaluate(
      packed.flatMap((h, j) => [j === 0 ? h0 : 0, h]),
      r,
    ),
  };
}
