import { add, product, reduceWide, sub, toMontgomery, WIDTH } from './field.ts';
import { bins, high, isFirst, low, messages, points, rPits, shares, stride, told } from './memory.ts';
import { moveTo, weightOfH0, weightOfOnes } from './weights.ts';

/** Evaluates the first `count` shares at their points: fills `messages` and `told`. */
export function evaluate(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const isTold = moveTo(load<u32>(rPits + 4 * usize(i)));
    store<u8>(told + i, u8(isTold));
    const message = messages + 12 * usize(i);
    if (isTold) evaluateShare(shares + stride * usize(i), message);
    else memory.fill(message, 0, 12);
  }
}

/** As `ShareEvaluator.evaluate`, ../verification.ts. */
function evaluateShare(share: usize, message: usize): void {
  const afterData = share + 4 * usize(bins);
  const weightOfF0 = load<u32>(low);
  const f0 = load<u32>(afterData);
  const g0 = load<u32>(afterData, 4);
  const h0 = load<u32>(afterData, 8);
  const f = add(weightedSum(share, low + 4, bins), times(f0, weightOfF0));
  let g = add(f, times(sub(g0, f0), weightOfF0));
  if (isFirst) g = sub(g, weightOfOnes);
  const h = add(weightedSum(afterData + 12, high, points), times(h0, weightOfH0));
  store<u32>(message, f);
  store<u32>(message, g, 4);
  store<u32>(message, h, 8);
}

function times(a: u32, b: u32): u32 {
  return product(toMontgomery(a), b);
}

/** Products are 64 bits wide; their halves are summed apart and reduced at the end. */
function weightedSum(values: usize, weights: usize, count: u32): u32 {
  const low32 = i64x2.splat(0xffff_ffff);
  let lows2 = i64x2.splat(0);
  let highs2 = i64x2.splat(0);
  const endOfVectors: usize = 4 * usize(count - (count % WIDTH));
  let at: usize = 0;
  for (; at < endOfVectors; at += 16) {
    const value = v128.load(values + at);
    const weight = v128.load(weights + at);
    const firstTwo = i64x2.extmul_low_i32x4_u(value, weight);
    const lastTwo = i64x2.extmul_high_i32x4_u(value, weight);
    lows2 = i64x2.add(lows2, i64x2.add(v128.and(firstTwo, low32), v128.and(lastTwo, low32)));
    highs2 = i64x2.add(highs2, i64x2.add(i64x2.shr_u(firstTwo, 32), i64x2.shr_u(lastTwo, 32)));
  }
  let lows = i64x2.extract_lane(lows2, 0) + i64x2.extract_lane(lows2, 1);
  let highs = i64x2.extract_lane(highs2, 0) + i64x2.extract_lane(highs2, 1);
  for (; at < 4 * usize(count); at += 4) {
    const term = u64(load<u32>(values + at)) * u64(load<u32>(weights + at));
    lows += u64(u32(term));
    highs += term >> 32;
  }
  return reduceWide(lows, highs);
}
