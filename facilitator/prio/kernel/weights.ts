import { add, add4, ONE, P, product, product4, reduce, reduceWide, sub, sub4, toMontgomery, WIDTH } from './field.ts';
import { bins, high, levels, low, points, squares } from './memory.ts';
import { inverseRoot, inverseRoots } from './roots.ts';

/** 1/2 in Montgomery form: (R mod p + p)/2. */
const HALF: u32 = 2147483648;

/** Weight of h0. */
export let weightOfH0: u32 = 0;
/** The sum of the weights of the data. */
export let weightOfOnes: u32 = 0;

let isPlaced: bool = false;
let isRoot: bool = false;
let point: u32 = 0;

/** Forgets the point, for other tables of roots. */
export function forgetPoint(): void {
  isPlaced = false;
}

/**
 * Computes the weights at r, unless they are there: `low`, `high`, `weightOfH0`, `weightOfOnes`.
 * @returns false if r is a 2N-th root of unity
 */
export function moveTo(rPit: u32): bool {
  const r = reduce(rPit);
  if (isPlaced && r == point) return !isRoot;
  isPlaced = true;
  point = r;
  const rForm = toMontgomery(r);
  const rToN = tabulateSquares(rForm);
  isRoot = product(rToN, rToN) == ONE;
  if (isRoot) return false;
  // 1/N and 1/2N, as N·(p - 1)/N = -1.
  spread(low, P - (P - 1) / points);
  weightOfH0 = product(product(load<u32>(low), add(ONE, rToN)), HALF);
  weightOfOnes = sumOfDataWeights();
  tabulateSquares(product(rForm, inverseRoot));
  spread(high, product(sub(ONE, rToN), P - (P - 1) / (2 * points)));
  return true;
}

/** x^(2^k) for k < levels; x in Montgomery form, as are the results. @returns x^N */
function tabulateSquares(x: u32): u32 {
  let square = x;
  for (let k: u32 = 0; k < levels; k++) {
    store<u32>(squares + 4 * usize(k), square);
    square = product(square, square);
  }
  return square;
}

/**
 * scale·Π (1 + (x·w_N^-j)^(2^k)), over k < log2 N, for each j < N; with 1/N as scale the weight at x of the value at
 * w_N^j, since the product is the geometric series of N terms. The factor for k depends on j modulo N/2^k only, and
 * opposite roots have opposite terms: so level by level each of `half` numbers becomes two, with two products.
 */
function spread(target: usize, scale: u32): void {
  store<u32>(target, scale);
  let k = levels;
  for (let half: u32 = 1; half < points; half *= 2) {
    const square = load<u32>(squares + 4 * usize(--k));
    const inverses = inverseRoots(half);
    const second = target + 4 * usize(half);
    if (half < WIDTH) spreadOneByOne(target, second, inverses, half, square);
    else spreadByFours(target, second, inverses, half, square);
  }
}

function spreadOneByOne(first: usize, second: usize, inverses: usize, count: u32, square: u32): void {
  for (let at: usize = 0; at < 4 * usize(count); at += 4) {
    const weight = load<u32>(first + at);
    const term = product(weight, product(square, load<u32>(inverses + at)));
    store<u32>(first + at, add(weight, term));
    store<u32>(second + at, sub(weight, term));
  }
}

/** @param count a multiple of four, as all powers of two are from there on */
function spreadByFours(first: usize, second: usize, inverses: usize, count: u32, square: u32): void {
  const squares4 = i32x4.splat(square);
  for (let at: usize = 0; at < 4 * usize(count); at += 16) {
    const weight = v128.load(first + at);
    const term = product4(weight, product4(squares4, v128.load(inverses + at)));
    v128.store(first + at, add4(weight, term));
    v128.store(second + at, sub4(weight, term));
  }
}

function sumOfDataWeights(): u32 {
  let total: u64 = 0;
  for (let k: u32 = 1; k <= bins; k++) total += load<u32>(low + 4 * usize(k));
  return reduceWide(total, 0);
}
