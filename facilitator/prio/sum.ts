import { add, sub } from './field.ts';

/** Adds `terms` to the first elements of `sum`, in place: a share's data to a sum, or one sum to another. */
export function accumulate(sum: Uint32Array, terms: Uint32Array): void {
  // `terms` has at least as many elements as `sum`: a share begins with its `bins` data elements.
  for (let i = 0; i < sum.length; i++) sum[i] = add(sum[i]!, terms[i]!);
}

/** Takes `terms` away from the first elements of `sum`, in place: undoes `accumulate`. */
export function takeAway(sum: Uint32Array, terms: Uint32Array): void {
  // As in `accumulate`.
  for (let i = 0; i < sum.length; i++) sum[i] = sub(sum[i]!, terms[i]!);
}

/** The histogram: the two servers' sum parts added element by element. @throws RangeError if the lengths differ */
export function reconstruct(a: ArrayLike<number>, b: ArrayLike<number>): Uint32Array {
  if (a.length !== b.length)
    throw new RangeError(`sum parts of ${a.length} and ${b.length} bins do not belong together`);
  return Uint32Array.from(a, (term, i) => add(term, b[i]!));
}
