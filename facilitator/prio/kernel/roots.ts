import { ONE, product, toMontgomery } from './field.ts';
import { points, roots } from './memory.ts';

/** Generates the subgroup of order 2^20, as in ../roots.ts. */
const GENERATOR: u32 = 3925978153;
const LOG_MAX_ORDER: u32 = 20;

/** w_2N^-1 in Montgomery form. */
export let inverseRoot: u32 = 0;

/** w_2m^-j for j < m, in Montgomery form; m a power of two below N. */
export function inverseRoots(m: u32): usize {
  return roots + 4 * usize(m);
}

/** Fills the table: for m = N/2 one after the other, for smaller m every second of those for 2m. */
export function tabulateRoots(): void {
  inverseRoot = inverseOf(rootOfOrder2N());
  const step = product(inverseRoot, inverseRoot);
  let power = ONE;
  for (let j: u32 = 0; j < points / 2; j++) {
    store<u32>(inverseRoots(points / 2) + 4 * usize(j), power);
    power = product(power, step);
  }
  for (let m = points / 4; m > 0; m /= 2) {
    for (let j: u32 = 0; j < m; j++) {
      store<u32>(inverseRoots(m) + 4 * usize(j), load<u32>(inverseRoots(2 * m) + 8 * usize(j)));
    }
  }
}

function rootOfOrder2N(): u32 {
  let root = toMontgomery(GENERATOR);
  for (let log = ctz(points) + 1; log < LOG_MAX_ORDER; log++) root = product(root, root);
  return root;
}

/** w^-1 = w^(2N-1), the product of the powers w^(2^k) with 2^k < 2N. */
function inverseOf(root: u32): u32 {
  let inverse = ONE;
  let power = root;
  for (let order: u32 = 1; order < 2 * points; order *= 2) {
    inverse = product(inverse, power);
    power = product(power, power);
  }
  return inverse;
}
