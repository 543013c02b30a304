import { add, product, reduceWide, sub, toMontgomery } from './field.ts';
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
  let lows: u64 = 0;
  let highs: u64 = 0;
  for (let at: usize = 0; at < 4 * usize(count); at += 4) {
    const term = u64(load<u32>(values + at)) * u64(load<u32>(weights + at));
    lows += u64(u32(term));
    highs += term >> 32;
  }
  return reduceWide(lows, highs);
}
