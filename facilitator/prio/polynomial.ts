import { add, inverse, mul, sub } from './field.ts';
import { powersOfRoot } from './roots.ts';

/**
 * The coefficients of the polynomial of degree < n with the given values at w_n^0 … w_n^(n-1).
 * @param values n field elements, n a power of two
 */
export function interpolate(values: Uint32Array): Uint32Array {
  const n = values.length;
  const coefficients = evaluateAtRoots(values, n);
  // The inverse transform is the transform with the order of all but the first result turned round, over n.
  coefficients.subarray(1).reverse();
  const scale = inverse(n);
  return coefficients.map((c) => mul(c, scale));
}

/** The values at w_n^0 … w_n^(n-1) of a polynomial with at most n coefficients (iterative radix-2 transform). */
export function evaluateAtRoots(coefficients: Uint32Array, n: number): Uint32Array {
  const values = bitReversed(coefficients, n);
  const roots = powersOfRoot(n);
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let j = 0; j < half; j++) {
        // All indices stay below n, the length of both arrays.
        const even = values[start + j]!;
        const odd = mul(values[start + j + half]!, roots[j * step]!);
        values[start + j] = add(even, odd);
        values[start + j + half] = sub(even, odd);
      }
    }
  }
  return values;
}

function bitReversed(source: Uint32Array, n: number): Uint32Array {
  const target = new Uint32Array(n);
  const bits = Math.log2(n);
  for (let i = 0; i < source.length; i++) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) reversed = (reversed << 1) | ((i >>> bit) & 1);
    target[reversed] = source[i]!;
  }
  return target;
}
